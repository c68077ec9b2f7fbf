"""Reading: partitions read from positions of one's own up to their ends, by a consumer that is in no group.

Says which of them are read to the end; how long that may take, and what becomes of the messages, is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from bus.errors import AWAY, PARTITION_END, consumer_error, kafka_error
from bus.partitions import Partition
from seamwatch.broker import Address

_TOGETHER_SECONDS: Final = 0.02
_KNOWN_SECONDS: Final = 1.0
_ONE_BY_ONE: Final = 3
"""Of more topics than these the broker is asked once, for all that it has: each question may go a long way."""


def take(consumer: Consumer, count: int, wait: float) -> list[Message]:
    """What has come, at most ``count``: waits up to ``wait`` seconds for the first, and a moment for what is with it.

    ``Consumer.consume`` waits for all of them, and so to the end of its time wherever fewer come.
    """
    found = consumer.consume(1, wait)
    if found and count > 1:
        found += consumer.consume(count - 1, min(wait, _TOGETHER_SECONDS))
    return found


def find_leaders(consumer: Consumer, topics: Iterable[str]) -> None:
    """Have a client know who leads the partitions of topics, before they are assigned to it from their beginnings.

    One that does not know finds it out by itself, but asks where a partition begins only half a second later. A broker
    that does not answer within a second is told of by what comes next.
    """
    named = sorted(set(topics))
    with suppress(KafkaException):
        if len(named) > _ONE_BY_ONE:
            consumer.list_topics(timeout=_KNOWN_SECONDS)
            return
        for topic in named:
            consumer.list_topics(topic, _KNOWN_SECONDS)


class Reading:
    """Reads partitions with a consumer that is made by `bus.clients.reader`.

    ``left`` are those that are not read to their ends, ``at`` has the offset up to which each has been handed out.
    Where ``ends`` has an offset for a partition, it is read when all before that was handed out; else when its end was
    met. Reading goes on behind the end, with what comes after it.
    """

    def __init__(
        self,
        consumer: Consumer,
        broker: Address,
        positions: Mapping[Partition, int],
        ends: Mapping[Partition, int] | None = None,
        *,
        patient: bool = False,
    ) -> None:
        """``positions``: by partition the offset to begin at, 0 for the beginning, wherever that is by now.

        ``patient``: a broker that does not answer is no error, for whoever follows the partitions for good.
        """
        self._consumer = consumer
        self._broker = broker
        self._ends = ends or {}
        self._passed_over = AWAY if patient else frozenset[int]()
        self.left = set(positions)
        self.at: dict[Partition, int] = {}
        find_leaders(consumer, (topic for (topic, _), at in positions.items() if not at))
        consumer.assign([_place(partition, at) for partition, at in sorted(positions.items())])

    def more(self, positions: Mapping[Partition, int]) -> None:
        """Read these partitions as well."""
        self.left |= positions.keys()
        self._consumer.incremental_assign([_place(partition, at) for partition, at in sorted(positions.items())])

    def read(self, count: int, wait: float) -> list[Message]:
        """What has come, at most so many, waiting for up to ``wait`` seconds; of a partition in order.

        Raises our error (`bus.errors`) for one that reading does not get over by itself.
        """
        messages = []
        for message in take(self._consumer, count, wait):
            partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
            end, error = self._ends.get(partition), message.error()
            if error is None:
                messages.append(message)
                self.at[partition] = offset + 1
                if end is not None and offset >= end - 1:
                    self.left.discard(partition)
            elif error.code() == PARTITION_END:
                self.at[partition] = offset
                # Of what is decided; a transaction that is still open may lie before the end that is waited for.
                if end is None or offset >= end:
                    self.left.discard(partition)
            elif error.code() not in self._passed_over and (error.fatal() or not error.retriable()):
                if message.topic() is None:  # of the client as a whole: its reader knows what it was to read
                    what = ", ".join(sorted({topic for topic, _ in self.at.keys() | self.left}))
                    raise kafka_error(KafkaException(error), f"reading {what}", self._broker)
                raise consumer_error(error, *partition, self._broker)
        return messages


def _place(partition: Partition, offset: int) -> TopicPartition:
    return TopicPartition(*partition, offset or OFFSET_BEGINNING)
