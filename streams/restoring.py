"""Restoring: the latest value of each key in partitions of a compacted topic, read to their ends."""

from __future__ import annotations

import time
from collections.abc import Collection

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from seamwatch.errors import UnreachableError
from streams.errors import PARTITION_END, kafka_error

PATIENCE_SECONDS = 120.0


def read_tables(bootstrap: str, topic: str, partitions: Collection[int]) -> dict[int, dict[str, bytes]]:
    """By partition, key and value of what was written and not deleted, as readers of committed records see it.

    Raises UnreachableError when the end is not reached within two minutes, StageError when there is no such topic.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}.restore",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
        }
    )
    tables: dict[int, dict[str, bytes]] = {number: {} for number in partitions}
    left = set(partitions)
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(left)])
        while left and time.monotonic() < until:
            for message in consumer.consume(5_000, 0.2):
                number = message.partition() or 0
                if _is_end(message, bootstrap):
                    left.discard(number)
                    continue
                key, value = message.key(), message.value()
                name = key.decode() if isinstance(key, bytes) else str(key)
                if isinstance(value, bytes):
                    tables[number][name] = value
                else:
                    tables[number].pop(name, None)
    finally:
        consumer.close()
    if not left:
        return tables
    raise UnreachableError(
        f"{topic}{sorted(left)} could not be read to its end in {PATIENCE_SECONDS:.0f} s from {bootstrap}: look for a "
        "transaction that hangs (kafka-transactions.sh --find-hanging)"
    )


def _is_end(message: Message, bootstrap: str) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() != PARTITION_END:
        raise kafka_error(KafkaException(error), f"restoring {message.topic()}[{message.partition()}]", bootstrap)
    return True
