"""From produce to violation: how long until a breach that somebody produced can be read from the violation topic.

    python -m benchmarks.latency [--rate 20000] [--seconds 20]

Runs the whole system as `seamwatch up` does, in a temporary folder; produces inferences at the rate, and among them
ten tool calls a second that are outside their agent's scope, each in a conversation of its own, so that each opens a
violation of its own. A reader of committed records waits for those violations. Then tells the resident memory of
every process. Takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_END, TopicPartition

from benchmarks.workload import inferences, write
from bus import clients
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

PARTITIONS = 4
BREACHES_A_SECOND = 10
START_SECONDS = 120
SETTLE_SECONDS = 3
STAGES = {"measure", "judge", "record", "page"}
"""What lies between an event and who is paged; the board only looks on."""


@dataclass
class Figures:
    """What one run measured: seconds from produce to violation, and resident megabytes by process."""

    rate: float
    latencies: list[float] = field(default_factory=list)
    missing: int = 0
    memory: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
        lines = [
            f"produce to violation at {self.rate:,.0f} events/s",
            f"  p50                                    {cuts[49]:>10.2f} s",
            f"  p99                                    {cuts[98]:>10.2f} s   (target 2 s)",
            f"  violations that did not come           {self.missing:>10} of {len(self.latencies) + self.missing}",
            "resident memory",
            *(f"  {name:<38} {size:>10,.0f} MB" for name, size in self.memory.items()),
            f"  {'all':<38} {sum(self.memory.values()):>10,.0f} MB  (target 2,500)",
        ]
        return "\n".join(lines)


class Watcher:
    """A reader of scope violations that notes when each conversation's violation is first read."""

    def __init__(self, kafka: str, topics: Topics) -> None:
        self.seen: dict[str, float] = {}
        self._codec = Codec()
        self._stop = threading.Event()
        self._consumer = clients.consumer(
            kafka,
            {
                "group.id": "bench-latency",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            },
        )
        self._consumer.assign([TopicPartition(topics.violations("scope"), n, OFFSET_END) for n in range(PARTITIONS)])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            now = time.time()
            violation = self._codec.decode("violation", message.value() or b"")
            self.seen.setdefault(violation["slice"], now)

    def end(self) -> None:
        """Read no more."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()


def measure(rate: int = 20_000, seconds: int = 20) -> Figures:
    """Run the system, produce, wait, and end it."""
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as folder:
        contracts, data = Path(folder, "contracts"), Path(folder, "data")
        contracts.mkdir()
        write(contracts)
        command = [sys.executable, "-m", "console.app", "up", "--data", str(data), "--contracts", str(contracts)]
        system = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            run = running(data)
            figures = _produce(run["kafka"], Topics(run["prefix"]), rate, seconds)
            processes = {"up": system.pid, **run["servers"], **run["stages"]}
            figures.memory = {name: resident(pid) for name, pid in processes.items()}
            return figures
        finally:
            system.send_signal(signal.SIGINT)
            system.wait(30)


def running(data: Path) -> dict[str, Any]:
    """What `seamwatch up` says of itself in run.json, once all stages have started. Raises TimeoutError."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            run: dict[str, Any] = json.loads((data / "run.json").read_text())
        except (OSError, ValueError):
            run = {}
        if run.get("stages", {}).keys() >= STAGES:
            # The stages still have to join their groups: that is no part of the latency.
            time.sleep(10)
            return run
        time.sleep(0.2)
    raise TimeoutError(f"the system did not start within {START_SECONDS} s; run `seamwatch up` to see why")


def _produce(kafka: str, topics: Topics, rate: int, seconds: int) -> Figures:
    watcher, codec = Watcher(kafka, topics), Codec()
    producer = clients.producer(kafka, {"linger.ms": 5, "partitioner": "murmur2_random"})
    sent: dict[str, float] = {}
    inference, tool_call = topics.input("inference"), topics.input("tool_call")
    begun = time.monotonic()
    every = rate // BREACHES_A_SECOND
    for number, (key, value) in enumerate(inferences(rate * seconds)):
        producer.produce(inference, value, key)
        if number % every == 0:
            trace = str(uuid.uuid4())
            producer.produce(tool_call, codec.encode("tool_call", outside(trace)), "agent-1")
            sent[trace] = time.time()
        if number % 200 == 0:
            producer.poll(0)
            ahead = number / rate - (time.monotonic() - begun)
            if ahead > 0:
                time.sleep(ahead)
    producer.flush(30)
    reached = rate * seconds / (time.monotonic() - begun)
    time.sleep(SETTLE_SECONDS)
    watcher.end()
    # The first seconds find the processes cold; they count too, being what an operator would see.
    latencies = [watcher.seen[trace] - at for trace, at in sent.items() if trace in watcher.seen]
    return Figures(reached, latencies, len(sent) - len(latencies))


def outside(trace: str) -> dict[str, Any]:
    """A tool call that is outside its agent's scope, in a conversation of its own."""
    return {
        "event_id": str(uuid.uuid4()),
        "event_time": time.time_ns() // 1_000,
        "system": "agent-1",
        "version": "2026.1",
        "trace_id": trace,
        "tool": "delete_account",
        "arguments": "{}",
        "decision": "allowed",
    }


def resident(pid: int) -> float:
    """Resident megabytes of a process, as the system counts them."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], stdout=subprocess.PIPE, check=True)
    return int(answer.stdout) / 1024


def main() -> None:
    """Run it and print two lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    print(measure(arguments.rate, arguments.seconds))


if __name__ == "__main__":
    main()
