"""Restoring: the latest value of each key in one partition of a compacted topic, read to its end."""

from __future__ import annotations

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from seamwatch.errors import UnreachableError
from streams.errors import PARTITION_END, kafka_error

PATIENCE_SECONDS = 120.0


def read_table(bootstrap: str, topic: str, partition: int) -> dict[str, bytes]:
    """Key and value of what was written and not deleted, as readers of committed records see it.

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
        }
    )
    table: dict[str, bytes] = {}
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        while time.monotonic() < until:
            for message in consumer.consume(5_000, 0.2):
                error = message.error()
                if error is not None and error.code() == PARTITION_END:
                    return table
                if error is not None:
                    raise kafka_error(KafkaException(error), f"restoring {topic}[{partition}]", bootstrap)
                key, value = message.key(), message.value()
                name = key.decode() if isinstance(key, bytes) else str(key)
                if isinstance(value, bytes):
                    table[name] = value
                else:
                    table.pop(name, None)
    finally:
        consumer.close()
    raise UnreachableError(
        f"{topic}[{partition}] could not be read to its end in {PATIENCE_SECONDS:.0f} s from {bootstrap}: look for a "
        "transaction that hangs (kafka-transactions.sh --find-hanging)"
    )
