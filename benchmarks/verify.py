"""How fast a record is verified: rows a second of `seamwatch verify` beside those of reading the raw bytes alone.

    python -m benchmarks.verify [--rows 3000000] [--at-once 50000]

Records decisions through the recorder's own writer into a ClickHouse of its own in a temporary folder (no broker is
needed for that), in commits of ``--at-once`` rows over four topic partitions, then verifies them as the command does,
and prints the rate, the ratio to that of a plain ``SELECT raw``, and the peak memory of the verifier's processes.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from confluent_kafka import Message

from benchmarks.verified import PREFIX
from benchmarks.workload import DISTINCT, decision
from bus.batches import PartitionMessages
from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.settings import load_settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.ledger import Ledger
from sinks.record.blocks import batch_of
from sinks.record.writer import PendingBatch, Writer
from sinks.store.client import Store
from sinks.store.fencing import take_epoch
from sinks.store.migrate import migrate
from stack.local import LocalStack

TOPICS: Final = Topics(PREFIX)
PARTITIONS: Final = 4
SYSTEMS: Final = 40
STEP: Final = 100_000
_ELSEWHERE: Final = "127.0.0.1:9"
_HOUR: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured; rates are rows a second, memory is in MiB."""

    rows: int
    made: float
    raw: float
    verified: float
    memory: int
    processor: float
    """Microseconds a row that the verifier's processes took, without the store's."""

    def __str__(self) -> str:
        return (
            f"verify: {self.rows:,} rows at {self.verified:,.0f}/s (target 300,000), ratio "
            f"{self.verified / self.raw:.3f} to SELECT raw alone at {self.raw:,.0f}/s, peak memory {self.memory} MiB, "
            f"{self.processor:.1f} µs of processor time a row beside the store's; recorded before at {self.made:,.0f}/s"
        )


def decisions(count: int, start: int) -> Iterator[bytes]:
    """Encoded inferences, a millisecond apart, of many systems; distinct in id and time, their first fields."""
    codec, chance = Codec(), random.Random(1)
    systems = (f"system-{chance.randrange(SYSTEMS)}" for _ in range(DISTINCT))
    samples = [codec.encode("inference", decision(chance, start, system)) for system in systems]
    lengths = len(_long(start)), len(_long(start + 1_000 * count))
    assert lengths[0] == lengths[1]
    rest = 1 + 36 + lengths[0]
    for number in range(count):
        sample = samples[number % DISTINCT]
        time = start + 1_000 * number + chance.randrange(1_000_000)
        mark = b"%08x-%04x-7000-8000-%012x" % (time >> 32, time & 0xFFFF, number)
        yield b"".join((sample[:11], mark, _long(time), sample[10 + rest :]))


def _long(number: int) -> bytes:
    """An Avro long that is not negative."""
    encoded, rest = bytearray(), number << 1
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def fill(url: str, key: SignerKey, rows: int, at_once: int) -> None:
    """Record so many decisions into an empty store, as the recorder would."""
    places = [(TOPICS.input("inference"), partition) for partition in range(PARTITIONS)]
    record(url, key, places, _ranges(places, rows, at_once))


def record(url: str, key: SignerKey, places: Sequence[Partition], ranges: Iterable[PartitionMessages]) -> None:
    """Record ranges of messages of these topic partitions, each a commit, from the first offset on, as the recorder."""
    decode, at = decoding(Codec(), SystemClock()), dict.fromkeys(places, 0)
    writer = Writer(url, Event(), ledger=Ledger(key))
    with Store(url) as store:
        held = take_epoch(store, places, "bench")
    writer.expect(dict(at), held)
    for messages in ranges:
        place = messages.topic, messages.partition
        first = at[place]
        at[place] += len(messages.messages)
        entry = PendingBatch(batch_of(messages, first, at[place], TOPICS, decode), held)
        while not writer.submit([entry]):
            time.sleep(0.01)
    writer.close(60)
    writer.check()


def _ranges(places: Sequence[Partition], rows: int, at_once: int) -> Iterator[PartitionMessages]:
    """So many decisions of the last hour in ranges of ``at_once``, each to the partition that has fewest."""
    start = SystemClock().now() - _HOUR
    values, at = decisions(rows, start), dict.fromkeys(places, 0)
    while left := rows - sum(at.values()):
        topic, partition = place = min(places, key=lambda each: at[each])
        first, count = at[place], min(left, at_once)
        millis = start // 1000 + sum(at.values())
        at[place] += count
        yield PartitionMessages(
            topic, partition,
            [
                Message(topic, partition, first + i, key=b"system", value=next(values), timestamp=(1, millis + i))
                for i in range(count)
            ],
        )  # fmt: skip


def plain(url: str, rows: int) -> float:
    """Seconds to read the raw bytes and nothing else, by one reader."""
    begun = time.perf_counter()
    read = 0
    with Store(url) as store:
        for first in range(0, rows // PARTITIONS + 1, STEP):
            condition = f"offset >= {first} AND offset < {first + STEP}"
            read += len(store.frame(f"SELECT raw FROM inference WHERE {condition}", exact_bytes=True))
    if read != rows:
        raise AssertionError(f"{read} rows are there, not {rows}")
    return time.perf_counter() - begun


def verified(url: str, public: str) -> dict[str, float]:
    """What a verification that finds nothing took, in a process of its own, as the command is one."""
    command = [sys.executable, "-m", "benchmarks.verified", url, public]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def measure(rows: int, at_once: int) -> Figures:
    """Run it on a store of its own."""
    with tempfile.TemporaryDirectory(prefix="seamwatch-verify-") as folder:
        settings = load_settings(data=Path(folder)).model_copy(update={"kafka": _ELSEWHERE, "clickhouse": None})
        with LocalStack(Path(folder), settings) as addresses:
            migrate(addresses.clickhouse)
            key = SignerKey.make("ledger.example.org")
            begun = time.perf_counter()
            fill(addresses.clickhouse, key, rows, at_once)
            made = time.perf_counter() - begun
            read = plain(addresses.auditor, rows)
            said = verified(addresses.auditor, str(key.verifier))
    if said["rows"] != rows:
        raise AssertionError(f"{said['rows']} rows were verified, not {rows}")
    return Figures(rows, rows / made, rows / read, rows / said["seconds"], int(said["memory"]), said["processor"])


def main() -> None:
    """Run it and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--at-once", type=int, default=50_000, help="rows a commit")
    arguments = parser.parse_args()
    print(measure(arguments.rows, arguments.at_once))


if __name__ == "__main__":
    main()
