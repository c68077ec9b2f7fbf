"""Ends: asks the broker, without waiting for it, where partitions end and how many of them a topic has.

Both are asked at once, so one moment holds for all of the answer: what comes after it was appended after it, wherever
that was. Judges nothing of it.

A client that asks for nothing else goes on by what it once heard of the partitions' leaders: when they have moved, be
it to where they were, it is refused for ever. So one that was refused is put away, and a new one asks next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from seamwatch.clock import Clock

Partition = tuple[str, int]
"""A topic and one of its partitions."""

ASK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the broker said: ``ends`` of partitions, and how many ``partitions`` each topic has.

    ``asked_at`` is the clock's time (micros) before it was asked. What it did not say is left out.
    """

    asked_at: int
    ends: Mapping[Partition, int]
    partitions: Mapping[str, int] = field(default_factory=dict)


class Ends:
    """Asks every so many seconds for the ends of some partitions, and for the partitions of ``topics``."""

    def __init__(
        self,
        connect: Callable[[], AdminClient],
        clock: Clock,
        every: float,
        topics: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._admin: AdminClient | None = None
        self._clock = clock
        self._every = every
        self._topics = list(topics)
        self._monotonic = monotonic
        self._asked = -every
        self._asked_at = 0
        self._ends: dict[Partition, Future[Any]] = {}
        self._described: dict[str, Future[Any]] = {}

    def poll(self, partitions: Collection[Partition]) -> Told | None:
        """The latest answer, once. Asks anew when it is time."""
        answer = None
        if self._ends and all(future.done() for future in (*self._ends.values(), *self._described.values())):
            ends = {key: int(found.offset) for key, future in self._ends.items() if (found := _answer(future))}
            described = {name: found for name, future in self._described.items() if (found := _answer(future))}
            answer = Told(self._asked_at, ends, {name: len(found.partitions) for name, found in described.items()})
            if len(ends) < len(self._ends) or len(described) < len(self._described):
                self._admin = None
            self.forget()
        if not self._ends and partitions and self._monotonic() - self._asked >= self._every:
            self._asked, self._asked_at = self._monotonic(), self._clock.now()
            self._ask(partitions)
        return answer

    def forget(self) -> None:
        """Drop the answer under way: it is about partitions that are no longer ours."""
        self._ends, self._described = {}, {}

    def _ask(self, partitions: Collection[Partition]) -> None:
        if self._admin is None:
            self._admin = self._connect()
        asked = self._admin.list_offsets(
            {TopicPartition(topic, number): OffsetSpec.latest() for topic, number in partitions},  # type: ignore[no-untyped-call]
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=ASK_SECONDS,
        )
        self._ends = {(place.topic, place.partition): future for place, future in asked.items()}
        if self._topics:
            self._described = dict(
                self._admin.describe_topics(TopicCollection(self._topics), request_timeout=ASK_SECONDS)
            )


def _answer(future: Future[Any]) -> Any:
    try:
        return future.result()
    except KafkaException:
        # The broker is away or the partition moves: nothing is known of it until the next answer.
        return None
