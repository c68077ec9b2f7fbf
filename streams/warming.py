"""Warming: the messages that came just before given positions, so that a stage can remember what it did with them.

Reads with a consumer of its own, which belongs to no group, and stops at the positions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from streams.batch import Partition
from streams.errors import PARTITION_END

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 20.0


def read_before(bootstrap: str, positions: Mapping[Partition, int], records: int) -> Iterator[tuple[str, list[bytes]]]:
    """Topic and values of at most about ``records`` messages before the position of each partition.

    Gives up, with a line in the log, when the broker takes longer than 20 s: what is missed can count twice.
    """
    if not positions:
        return
    left = dict(positions)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "seamwatch.warming",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 0,
            "fetch.message.max.bytes": 8 << 20,
            "queued.max.messages.kbytes": 64 << 10,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, n, max(at - records, 0)) for (topic, n), at in positions.items()])
        until = time.monotonic() + PATIENCE_SECONDS
        while left and time.monotonic() < until:
            yield from _values(consumer.consume(10_000, 0.2), left)
        if left:
            log.warning("not everything was remembered", partitions=len(left), waited_seconds=PATIENCE_SECONDS)
    finally:
        consumer.close()


def _values(messages: list[Message], left: dict[Partition, int]) -> Iterator[tuple[str, list[bytes]]]:
    values: dict[str, list[bytes]] = {}
    for message in messages:
        topic, number, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        error, end = message.error(), left.get((topic, number))
        if error is not None and error.code() != PARTITION_END:
            log.warning("warming met an error", error=error.str(), topic=topic)
        if end is None:
            continue
        if error is None and offset < end:
            value = message.value()
            if isinstance(value, bytes):
                values.setdefault(topic, []).append(value)
        if offset >= end - 1 or (error is not None and error.code() == PARTITION_END):
            del left[topic, number]
    yield from values.items()
