"""Restoring: the latest value of each key in partitions of a compacted topic, read to their ends.

To the ends of what is decided: a transaction that its writer has left open, or whose end the brokers are still writing
down, is waited for. Its records may be part of what whoever takes over has to know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from confluent_kafka import KafkaException

from bus import clients
from bus.ends import ends_of
from bus.errors import kafka_error
from bus.partitions import Partition
from bus.reading import Reading
from seamwatch.broker import Address
from seamwatch.errors import UnreachableError

PATIENCE_SECONDS = 120.0
_ANSWER_SECONDS = 30.0


def read_tables(
    bootstrap: Address,
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
    consumer = clients.reader(bootstrap, f"{topic}.restore", clients.TO_THE_ENDS)
    tables: dict[int, dict[str, bytes]] = {number: {} for number in partitions}
    ends = _ends(bootstrap, topic, partitions)
    until = time.monotonic() + patience
    try:
        reading = Reading(consumer, bootstrap, dict.fromkeys(ends, 0), ends)
        while reading.left and time.monotonic() < until:
            for message in reading.read(5_000, 0.2):
                table, key, value = tables[message.partition() or 0], message.key(), message.value()
                name = key.decode(errors="backslashreplace") if isinstance(key, bytes) else str(key)
                if not wanted(name):
                    continue
                if isinstance(value, bytes):
                    table[name] = value
                else:
                    table.pop(name, None)
    finally:
        consumer.close()
    left = {number for _, number in reading.left}
    if not left:
        return tables
    raise UnreachableError(
        f"{topic}{sorted(left)} could not be read to its end in {patience:.0f} s from {bootstrap}: look for a "
        "transaction that hangs (kafka-transactions.sh --find-hanging)"
    )


def _ends(bootstrap: Address, topic: str, partitions: Collection[int]) -> dict[Partition, int]:
    """Where the partitions end, with what is not decided yet."""
    if not partitions:
        return {}
    admin = clients.admin(bootstrap, {"log_level": 3})
    try:
        return ends_of(admin, [(topic, number) for number in partitions], _ANSWER_SECONDS, decided=False)
    except KafkaException as error:
        raise kafka_error(error, f"restoring {topic}", bootstrap) from error
