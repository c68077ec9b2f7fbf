"""Restoring: the latest value of each key in partitions of a compacted topic, read to their ends.

To the ends of what is decided: a transaction that its writer has left open, or whose end the brokers are still writing
down, is waited for. Its records may be part of what whoever takes over has to know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from seamwatch.errors import UnreachableError
from streams.errors import PARTITION_END, kafka_error

PATIENCE_SECONDS = 120.0
_ANSWER_SECONDS = 30.0


def read_tables(
    bootstrap: str,
    topic: str,
    partitions: Collection[int],
    patience: float = PATIENCE_SECONDS,
    *,
    wanted: Callable[[str], bool] = lambda _key: True,
) -> dict[int, dict[str, bytes]]:
    """By partition, key and value of what was written and not deleted, as readers of committed records see it.

    ``wanted`` says of a key whether it is looked for. A key that is no UTF-8 is told with its bytes escaped. Raises
    UnreachableError when the end is not reached within so many seconds, StageError when there is no such topic.
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
    left = _ends(bootstrap, topic, partitions)
    until = time.monotonic() + patience
    try:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(left)])
        while left and time.monotonic() < until:
            for message in consumer.consume(5_000, 0.2):
                number = message.partition() or 0
                if _is_end(message, bootstrap):
                    if (message.offset() or 0) >= left.get(number, 0):
                        left.pop(number, None)
                    continue
                key, value = message.key(), message.value()
                name = key.decode(errors="backslashreplace") if isinstance(key, bytes) else str(key)
                if not wanted(name):
                    continue
                if isinstance(value, bytes):
                    tables[number][name] = value
                else:
                    tables[number].pop(name, None)
    finally:
        consumer.close()
    if not left:
        return tables
    raise UnreachableError(
        f"{topic}{sorted(left)} could not be read to its end in {patience:.0f} s from {bootstrap}: look for a "
        "transaction that hangs (kafka-transactions.sh --find-hanging)"
    )


def _ends(bootstrap: str, topic: str, partitions: Collection[int]) -> dict[int, int]:
    """Where the partitions end, with what is not decided yet."""
    places = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}  # type: ignore[no-untyped-call]
    if not places:
        return {}
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        asked = admin.list_offsets(places, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=10.0)
        try:
            return {place.partition: found.result(_ANSWER_SECONDS).offset for place, found in asked.items()}
        except KafkaException as error:
            # Topics that were made a moment ago may have no leader yet.
            if time.monotonic() > until:
                raise kafka_error(error, f"restoring {topic}", bootstrap) from error
            time.sleep(0.2)


def _is_end(message: Message, bootstrap: str) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() != PARTITION_END:
        raise kafka_error(KafkaException(error), f"restoring {message.topic()}[{message.partition()}]", bootstrap)
    return True
