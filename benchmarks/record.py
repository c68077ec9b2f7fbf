"""How fast the recorder is beside the broker itself: events a second consumed raw, and recorded.

    python -m benchmarks.record [--events 1000000]

Fills a topic of four partitions with 150-byte inferences, reads it once with a plain consumer that only counts,
then records it into empty databases, twice with a ledger that signs and twice without any, in turns, and keeps the best
of each. All read from the beginning, after one another, on the same machine. Needs KAFKA_BOOTSTRAP_SERVERS and
CLICKHOUSE_URL; takes away the topics and the databases that it made.
"""

from __future__ import annotations

import argparse
import gc
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import NewTopic

from benchmarks.workload import DISTINCT, decision
from bus import clients
from seamwatch.clauses import kinds
from seamwatch.clock import SystemClock
from seamwatch.columnar.decode import Decoded
from seamwatch.errors import StageError
from seamwatch.log import configure
from seamwatch.settings import load_settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.decoding import decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.ledger import Growth, Head, Ledger
from sinks.record.stage import Recorder, consumer_settings
from sinks.store.client import Store
from sinks.store.migrate import migrate

PARTITIONS = 4
REPEATS = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured; rates are events a second."""

    events: int
    event_bytes: float
    raw: float
    recorded: float
    bare: float

    @property
    def ratio(self) -> float:
        """The recorder's rate as a share of the raw one."""
        return self.recorded / self.raw

    @property
    def ledger(self) -> float:
        """What the ledger takes of the rate, as a share."""
        return 1 - self.recorded / self.bare

    def __str__(self) -> str:
        return (
            f"{self.events:,} events of {self.event_bytes:.0f} bytes: raw consume {self.raw:,.0f}/s, "
            f"record {self.recorded:,.0f}/s, ratio {self.ratio:.3f} (target 0.12); without a ledger "
            f"{self.bare:,.0f}/s, so it takes {self.ledger:.0%} (limit 25 %)"
        )


def measure(kafka: str, clickhouse: str, events: int = 1_000_000) -> Figures:
    """Run it against a broker and a store. Raises UnreachableError when either does not answer."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    topics = Topics(name)
    admin = clients.admin(kafka)
    specs = topics.specs(kinds(), PARTITIONS)
    made = admin.create_topics([NewTopic(s.name, s.partitions, 1, config=s.settings) for s in specs])
    try:
        for future in made.values():
            future.result()
        size = _fill(kafka, topics.input("inference"), events)
        raw = events / _consume(kafka, topics.input("inference"), events)
        bare, recorded = [], []
        for _ in range(REPEATS):
            with _without_ledger():
                bare.append(events / _recorded(kafka, clickhouse, topics, events))
            recorded.append(events / _recorded(kafka, clickhouse, topics, events))
        return Figures(events, size, raw, max(recorded), max(bare))
    finally:
        admin.delete_topics([spec.name for spec in specs])


@contextmanager
def _without_ledger() -> Iterator[None]:
    """No leaf is hashed, no tree grown, nothing of them written: what recording would cost without."""

    class Nothing(Ledger):
        def grow(self, _store: Store, growths: Sequence[Growth], *, repeated: bool = False) -> list[Head]:  # noqa: ARG002
            return [Head(g.batch.range.place, g.size + g.count, b"", b"", "", None, 0) for g in growths]

    with patch("sinks.record.stage.Ledger", Nothing), patch("sinks.record.blocks.leaf_hashes", lambda *_: b""):
        yield


def _recorded(kafka: str, clickhouse: str, topics: Topics, events: int) -> float:
    """Seconds to record them all into a database of its own."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrate(url)
    try:
        return _record(kafka, url, topics, events)
    finally:
        with Store(url, database="default") as store:
            store.command(f"DROP DATABASE IF EXISTS {name}")


def _fill(kafka: str, topic: str, events: int) -> float:
    codec, now, chance = Codec(), SystemClock().now(), random.Random(1)
    values = [
        codec.encode("inference", decision(chance, now - chance.randrange(3_600_000_000), f"system-{index % 8}"))
        for index in range(DISTINCT)
    ]
    producer = clients.producer(
        kafka, {"linger.ms": 20, "batch.num.messages": 100_000, "queue.buffering.max.messages": 2_000_000}
    )
    for index in range(events):
        producer.produce(topic, values[index % DISTINCT], key=b"system-%d" % (index % 8), partition=index % PARTITIONS)
        if index % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    return sum(map(len, values)) / DISTINCT


def _consume(kafka: str, topic: str, events: int) -> float:
    """Seconds to consume them all, from the first message on: joining and connecting are not the rate."""
    consumer = clients.consumer(kafka, consumer_settings(f"{topic}.raw", "raw"))
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    seen = len(consumer.consume(1, 30.0))
    begun = time.perf_counter()
    while seen < events:
        # The ends of partitions come as messages too; they are four in a million.
        seen += len(consumer.consume(10_000, 1.0))
    took = time.perf_counter() - begun
    consumer.close()
    return took


def _record(kafka: str, url: str, topics: Topics, events: int) -> float:
    """Seconds from the first decoding to the last commit."""
    begun: list[float] = []
    decode = decoding(Codec(), SystemClock())

    def timed(record_type: str, values: Any, broker_times: Any, /, *, earlier: bool = False) -> Decoded:
        if not begun:
            begun.append(time.perf_counter())
        return decode(record_type, values, broker_times, earlier=earlier)

    gc.set_threshold(200_000, 20, 20)  # as sinks.record.stage.run does for its process
    recorder = Recorder(kafka, url, topics, timed, key=SignerKey.make("ledger.example.org"))
    thread = threading.Thread(target=recorder.run)
    thread.start()
    with Store(url) as store:
        while not _rows(store) >= events:
            if not thread.is_alive():
                raise StageError("the recorder ended early")
            time.sleep(0.1)
    took = time.perf_counter() - begun[0]
    recorder.stop()
    thread.join()
    return took


def _rows(store: Store) -> int:
    return int(store.rows("SELECT sum(count) AS recorded FROM ledger_commit")[0]["recorded"] or 0)


def main() -> None:
    """Run it by the environment's addresses and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    arguments = parser.parse_args()
    settings = load_settings()
    if settings.kafka is None or settings.clickhouse is None:
        parser.error("set KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL")
    configure(load_settings(log_level="warning"))
    print(measure(settings.kafka, settings.clickhouse, arguments.events))


if __name__ == "__main__":
    main()
