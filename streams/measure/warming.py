"""Warming: the messages that came just before given positions, so that a stage can remember what it did with them.

Reads with a consumer of its own, which belongs to no group, and stops at the positions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import structlog
from confluent_kafka import Message

from bus import clients
from bus.partitions import Partition
from bus.reading import Reading
from seamwatch.broker import Address
from seamwatch.errors import SeamwatchError

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 20.0


def read_before(
    bootstrap: Address, positions: Mapping[Partition, int], records: int
) -> Iterator[tuple[str, list[bytes]]]:
    """Topic and values of at most about ``records`` messages before the position of each partition.

    Gives up, with a line in the log, when the broker takes longer than 20 s: what is missed can count twice.
    """
    if not positions:
        return
    consumer = clients.reader(
        bootstrap,
        f"{min(positions)[0]}.warming",
        {"fetch.queue.backoff.ms": 0, "fetch.message.max.bytes": 8 << 20, "queued.max.messages.kbytes": 64 << 10},
    )
    try:
        begin = {partition: max(at - records, 0) for partition, at in positions.items()}
        reading = Reading(consumer, bootstrap, begin, positions)
        until = time.monotonic() + PATIENCE_SECONDS
        while reading.left and time.monotonic() < until:
            try:
                messages = reading.read(10_000, 0.2)
            except SeamwatchError as error:
                log.warning("warming met an error", error=str(error))
            else:
                yield from _values(messages, positions)
        if reading.left:
            log.warning("not everything was remembered", partitions=len(reading.left), waited_seconds=PATIENCE_SECONDS)
    finally:
        consumer.close()


def _values(messages: list[Message], ends: Mapping[Partition, int]) -> Iterator[tuple[str, list[bytes]]]:
    values: dict[str, list[bytes]] = {}
    for message in messages:
        topic, value = message.topic() or "", message.value()
        if isinstance(value, bytes) and (message.offset() or 0) < ends[topic, message.partition() or 0]:
            values.setdefault(topic, []).append(value)
    yield from values.items()
