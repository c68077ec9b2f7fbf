"""The recorder under pressure: its store gone for ten minutes, then a backlog; and a disk that is full.

    python -m benchmarks.pressure [--away 600] [--rate 5000] [--small FOLDER]

Produces at a steady rate, kills the store, starts it again after ``--away`` seconds, and prints the lag as the metrics
show it, the recorder's memory, and how fast it catches up beside the rate that kept arriving (target: 3 times). Then
every record is compared. With ``--small``, a folder on a small file system of its own (a tmpfs of 120 MB will do),
the store lies there: the disk is filled, the refusals are printed by their codes, and space is made again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.chaos_record import PARTITIONS, RECORD, create_topics
from benchmarks.record_account import account
from benchmarks.workload import inferences
from bus import clients
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from sinks.store.migrate import migrate
from stack.clickhouse.process import ClickHouseServer
from stack.local import LocalStack
from tests.sinks.estate import Estate, Stage, committed
from tests.waiting import wait_for

CATCH_UP_SECONDS = 900.0
MIB = 1024 * 1024


class Source:
    """Produces inferences at a steady rate until it is told to stop, from a thread of its own."""

    def __init__(self, kafka: str, topic: str, rate: int) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(kafka, topic, rate), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when all that was sent has arrived."""
        self._stop.set()
        self._thread.join(60)

    def _run(self, kafka: str, topic: str, rate: int) -> None:
        producer = clients.producer(kafka, {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
        events, begun = inferences(10**9), time.monotonic()
        while not self._stop.is_set():
            for _ in range(int((time.monotonic() - begun) * rate) - self.sent):
                key, value = next(events)
                producer.produce(topic, value, key=key, partition=self.sent % PARTITIONS)
                self.sent += 1
            producer.poll(0.02)
        assert producer.flush(30) == 0


class Watched:
    """A recorder process and what it shows of itself."""

    def __init__(self, estate: Estate, port: int) -> None:
        self._port = port
        self.stage = Stage(RECORD, {**estate.environment, "SEAMWATCH_METRICS_PORT": str(port)})

    def metric(self, name: str) -> dict[str, float]:
        """Every sample of a metric that is not 0, by its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        found = (line.rpartition(" ") for line in lines if line.startswith(f"seamwatch_record_{name}"))
        return {labels.partition("{")[2].rstrip("}"): float(value) for labels, _, value in found if float(value)}

    @property
    def lag(self) -> int:
        """Records that are not recorded yet, of all topic partitions."""
        return int(sum(self.metric("lag").values()))

    @property
    def memory(self) -> str:
        """Resident memory, now and at most, in MiB."""
        status = Path(f"/proc/{self.stage.process.pid}/status").read_text(encoding="ascii")
        sizes = dict(line.split(":", 1) for line in status.splitlines())
        return " / ".join(f"{int(sizes[name].split()[0]) // 1024} MiB" for name in ("VmRSS", "VmHWM"))


@contextlib.contextmanager
def scene(store: Path | None = None) -> Iterator[tuple[Estate, ClickHouseServer]]:
    """A broker and a migrated store of their own; the store in this folder if one is given."""
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="seamwatch-pressure-")))
        if store is not None:
            (folder / "clickhouse").symlink_to(store)
        stack = LocalStack(folder, load_settings(data=folder).model_copy(update={"kafka": None, "clickhouse": None}))
        addresses = ends.enter_context(stack)
        server = next(server for server in stack.servers if isinstance(server, ClickHouseServer))
        estate = Estate(addresses.kafka, addresses.clickhouse, Topics("pressure"))
        create_topics(addresses.kafka, estate.topics)
        migrate(addresses.clickhouse)
        yield estate, server


def away(seconds: float, rate: int) -> None:
    """The store is killed and stays away; then it comes back to a backlog."""
    with scene() as (estate, server):
        watched = Watched(estate, _free_port())
        source = Source(estate.kafka, estate.topics.input("inference"), rate)
        time.sleep(20)
        print(f"live: {rate:,}/s arrive, lag {watched.lag:,}, memory now/peak {watched.memory}", flush=True)
        assert server.process is not None
        server.process.kill()
        server.process.wait(10)
        back = time.monotonic() + seconds
        while (left := back - time.monotonic()) > 0:
            time.sleep(min(left, seconds / 5))
            print(f"store away: lag {watched.lag:,}, memory now/peak {watched.memory}", flush=True)
        server.start()
        server.wait()
        begun, before = time.monotonic(), committed(estate)
        wait_for(lambda: committed(estate) > before, "recording again")
        started = time.monotonic() - begun
        while (behind := source.sent - committed(estate)) >= 2 * rate:
            assert time.monotonic() < begun + CATCH_UP_SECONDS, f"{behind:,} behind still"
            print(f"catching up: {behind:,} behind, memory now/peak {watched.memory}", flush=True)
            time.sleep(5)
        took, done = time.monotonic() - begun, committed(estate) - before
        ratio = done / took / rate
        print(
            f"store back: first rows after {started:.1f} s, {done:,} recorded in {took:.1f} s while {rate:,}/s went on "
            f"arriving: {ratio:.1f} times the live rate (target 3), memory now/peak {watched.memory}",
            flush=True,
        )
        source.stop()
        wait_for(lambda: committed(estate) >= source.sent, "all of it")
        assert watched.stage.end() == 0
        account(estate)
        print(f"{source.sent:,} records, each one row with its bytes")


def full_disk(folder: Path) -> None:
    """The store's disk is full; what it says is waited out until there is space again."""
    with scene(folder) as (estate, _server):
        watched = Watched(estate, _free_port())
        topic = estate.topics.input("inference")
        source = Source(estate.kafka, topic, 2_000)
        wait_for(lambda: committed(estate) > 0, "recording")
        time.sleep(5)
        ballast = folder / "ballast"
        for _ in range(30):
            # Merges give space back, so that a disk that is full once is not full for long.
            with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(os.urandom(MIB // 16))
            time.sleep(1)
        print(
            f"disk full for 30 s: lag {watched.lag:,}, retries by code {watched.metric('retries_total')}, "
            f"memory now/peak {watched.memory}",
            flush=True,
        )
        assert watched.stage.process.poll() is None, "the recorder has ended"
        ballast.unlink()
        source.stop()
        wait_for(lambda: committed(estate) >= source.sent, "all of it", patience=CATCH_UP_SECONDS)
        assert watched.stage.end() == 0
        account(estate)
        print(f"space again: {source.sent:,} records, each one row with its bytes")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def main() -> None:
    """Run it and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--away", type=float, default=600.0, help="seconds without a store")
    parser.add_argument("--rate", type=int, default=5_000, help="events a second")
    parser.add_argument("--small", type=Path, help="folder on a small file system of its own, to be filled")
    arguments = parser.parse_args()
    if arguments.small is not None:
        full_disk(arguments.small)
    else:
        away(arguments.away, arguments.rate)


if __name__ == "__main__":
    main()
