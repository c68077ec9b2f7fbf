"""Records written to a store as the recorder writes them, without a broker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
from confluent_kafka import Message

from bus.batches import PartitionMessages
from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.wire.topics import Topics
from sinks.columns import TIME
from sinks.decoding import Decode, decoding
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.ledger import Growth, Ledger
from sinks.record.blocks import batch_of
from sinks.store.client import Store
from tests.sinks.mixed import Mixed, Sent, runs_of
from tests.sinks.samples import CODEC

NOW_MILLIS = time.time_ns() // 1_000_000


@dataclass
class Book:
    """A store that records are written to, range by range."""

    store: Store
    topics: Topics
    key: SignerKey = field(default_factory=lambda: SignerKey.make("ledger.example.org"))
    decode: Decode = field(default_factory=lambda: decoding(CODEC, SystemClock()))
    ledger: Ledger = field(init=False)
    at: dict[Partition, tuple[int, int]] = field(default_factory=dict)
    repeated: bool = False
    """Whether it repeats ranges that are committed already."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.key)

    def record(
        self,
        values: Sequence[bytes | None],
        topic: str = "inference",
        partition: int = 0,
        *,
        key: bytes | None = b"k",
        gap: int = 0,
        millis: int = NOW_MILLIS,
        headers: list[tuple[str, str | bytes | None]] | None = None,
    ) -> None:
        """Write values as one range that follows the last one; ``gap`` offsets without a record come before it.

        ``topic`` is a name under the prefix, such as ``inference`` or ``violations.range``.
        """
        name = f"{self.topics.prefix}.{topic}"
        self.write([Sent(name, partition, key, value, headers or [], True) for value in values], gap=gap, millis=millis)

    def fill(self, mixed: Mixed, *, ranges: int = 2, each: int = 4, millis: int = NOW_MILLIS) -> None:
        """Write records of every topic: to each partition so many ranges of so many, with gaps here and there.

        Their events are of the time at which the broker has them, ``millis``: later ones would be dead letters.
        """
        mixed.now = millis * 1000
        for number in range(ranges):
            for at, run in enumerate(runs_of([*mixed.every(each)]).values()):
                self.write(run, gap=(number + at) % 3, millis=millis)

    def write(self, sent: Sequence[Sent], *, gap: int = 0, millis: int = NOW_MILLIS) -> None:
        """Write messages of one topic partition as one range."""
        name, partition, values = sent[0].topic, sent[0].partition, [each.value for each in sent]
        first, size = self.at.get((name, partition), (0, 0))
        start = first + gap
        messages = [
            Message(
                topic=name,
                partition=partition,
                offset=start + i,
                key=each.key,
                value=each.value,
                timestamp=(2, millis + i),
                headers=each.headers,
            )
            for i, each in enumerate(sent)
        ]
        following = start + len(values)
        batch = batch_of(PartitionMessages(name, partition, messages), first, following, self.topics, self.decode)
        for block in batch.blocks:
            self.store.insert(block.table, block.frame, block.token)
        (head,) = self.ledger.grow(self.store, [Growth(batch, size, len(values))], repeated=self.repeated)
        commit = pl.DataFrame(
            {
                "topic": [name],
                "partition": pl.Series([partition], dtype=pl.Int32),
                "first_offset": pl.Series([first], dtype=pl.Int64),
                "next_offset": pl.Series([following], dtype=pl.Int64),
                "count": pl.Series([len(values)], dtype=pl.UInt32),
                "dead_letters": pl.Series([batch.dead_letters], dtype=pl.UInt32),
                "size": pl.Series([size + len(values)], dtype=pl.UInt64),
                "recorder": ["book"],
                "committed_at": pl.Series([millis * 1000], dtype=pl.Int64).cast(TIME),
            }
        ).with_columns(**head.columns())
        self.store.insert("ledger_commit", commit, f"ledger_commit/{batch.range}")
        self.at[name, partition] = (following, size + len(values))

    def intend_every(self) -> None:
        """Note an intent for each range of every topic partition."""
        self.store.command(
            "INSERT INTO ledger_intent (topic, partition, first_offset, next_offset, count) "
            "SELECT topic, partition, first_offset, next_offset, count FROM ledger_commit"
        )

    def intend(self, partition: int, topic: str = "inference") -> None:
        """Note an intent for each range, as the recorder does before it writes one."""
        name = f"{self.topics.prefix}.{topic}"
        self.store.command(
            "INSERT INTO ledger_intent (topic, partition, first_offset, next_offset, count) SELECT topic, partition, "
            f"first_offset, next_offset, count FROM ledger_commit WHERE topic = '{name}' AND partition = {partition}"
        )
