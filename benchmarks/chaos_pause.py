"""A broker that hangs, over and over: every stage must go on afterwards, by itself or because it is started anew.

    python -m benchmarks.chaos_pause [--pauses 9] [--seconds 20]

Runs the whole system as `seamwatch up` does, in a temporary folder; stops its broker by SIGSTOP for longer than the
group's sessions last, lets it go on, and then produces breaches until one of them has come out as a violation and all
groups have committed the ends of their inputs, but for the markers of transactions, and event time has gone on. Says
how long that took, and which stages ended for it. Exits 1 when one lives on and does not: after two minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.latency import PARTITIONS, Watcher, outside, running
from benchmarks.workload import write
from bus import clients
from bus.restoring import read_tables
from seamwatch.clock import SystemClock
from seamwatch.engine.watermarks import CLOCK_KEY
from seamwatch.errors import SeamwatchError
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from streams.judge.clock_watch import times_in
from streams.page.lookout import Lookout

LONGEST_SECONDS = 120.0
MARKERS = 100
"""So far behind, a stage has read all there is: the markers of transactions, and what measure has told meanwhile."""


def main() -> int:
    """Run it and say what came of each pause."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pauses", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    hung = 0
    with up() as (data, run), contextlib.closing(Scene(data, run["kafka"], run["prefix"])) as scene:
        for number in range(1, arguments.pauses + 1):
            before = scene.stages()
            with paused(run["servers"]["kafka"]):
                time.sleep(arguments.seconds)
            took, hanging = scene.goes_on()
            anew = [name for name, pid in scene.stages().items() if before.get(name) != pid]
            text = "no violation came" if took is None else f"a violation after {took:.1f} s"
            hung += took is None or bool(hanging)
            print(f"pause {number}: {text}; started anew: {', '.join(anew) or 'none'}; hanging: {hanging}", flush=True)
    print(f"{hung} of {arguments.pauses} pauses left something that hangs" if hung else "all went on after every pause")
    return 1 if hung else 0


@contextlib.contextmanager
def up() -> Iterator[tuple[Path, dict[str, Any]]]:
    """A whole system in a folder of its own: the folder, and what it says of itself."""
    with tempfile.TemporaryDirectory(prefix="seamwatch-chaos-") as folder:
        contracts, data = Path(folder, "contracts"), Path(folder, "data")
        contracts.mkdir()
        write(contracts)
        command = [sys.executable, "-m", "console.app", "up", "--data", str(data), "--contracts", str(contracts)]
        system = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            yield data, running(data)
        finally:
            system.send_signal(signal.SIGINT)
            system.wait(60)


@contextlib.contextmanager
def paused(pid: int) -> Iterator[None]:
    """The process stands still meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Scene:
    """What is produced, and what is looked at to see that the system goes on."""

    def __init__(self, data: Path, kafka: str, prefix: str) -> None:
        self._data = data
        self._topics = Topics(prefix)
        self._watcher = Watcher(kafka, self._topics)
        # They live through the pauses, and would tell of each on the terminal.
        self._producer = clients.producer(kafka, {"log_level": 0, "partitioner": "murmur2_random"})
        self._kafka = kafka
        self._codec = Codec()

    def stages(self) -> dict[str, int]:
        """The processes of the stages."""
        stages: dict[str, int] = json.loads((self._data / "run.json").read_text())["stages"]
        return stages

    def goes_on(self) -> tuple[float | None, list[str]]:
        """Seconds until a breach of now is told, None when none is; and what has not gone on in time."""
        begun, from_now_on, traces = time.monotonic(), SystemClock().now(), set[str]()
        while not (traces & self._watcher.seen.keys()):
            if time.monotonic() - begun > LONGEST_SECONDS:
                return None, self._hanging(from_now_on)
            trace = str(uuid.uuid4())
            traces.add(trace)
            value = self._codec.encode("tool_call", outside(trace))
            self._producer.produce(self._topics.input("tool_call"), value, "agent-1")
            self._producer.poll(0.5)
        took = time.monotonic() - begun
        while (hanging := self._hanging(from_now_on)) and time.monotonic() - begun < LONGEST_SECONDS:
            time.sleep(0.5)
        return took, hanging

    def close(self) -> None:
        """Close the clients."""
        self._watcher.end()
        self._producer.flush(10)

    def _hanging(self, since: int) -> list[str]:
        """The stages that have not read all there is, and the partitions of judge whose event time has not moved."""
        state, wanted = self._topics.judge_state, {CLOCK_KEY}
        lookout = Lookout(self._kafka, self._topics)
        try:
            counts = {stage: seen.count for stage, seen in lookout.look().stages.items()}
            tables = read_tables(self._kafka, state, range(PARTITIONS), wanted=wanted.__contains__)
        except SeamwatchError as error:
            return [str(error)]
        finally:
            lookout.close()
        hanging = [f"{stage} is {count} behind" for stage, count in counts.items() if count > MARKERS]
        times = times_in(tables)
        return [*hanging, *(f"time of {number} stands" for number, at in times.items() if at.lowest <= since)]


if __name__ == "__main__":
    raise SystemExit(main())
