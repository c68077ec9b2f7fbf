"""Ends: asks the broker where partitions end, once (`ends_of`) or again and again without waiting for it (`Ends`).

`Ends` asks how many partitions topics have besides. Both are asked at once, so one moment holds for all of the answer:
what comes after it was appended after it, wherever that was. Judges nothing of it.

A client that asks for nothing else goes on by what it once heard of the partitions' leaders: when they have moved, be
it to where they were, it is refused for ever, and of a topic that was made a moment ago it may have heard of none. So
whoever waits for an answer looks at the topics anew before asking again, and `Ends` asks by a new client next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from bus.errors import AWAY
from bus.partitions import Partition
from seamwatch.clock import Clock

ASK_SECONDS = 10.0
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_NEWEST: Final = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
_AGAIN_SECONDS: Final = 0.1
_ASKED_AGAIN: Final = AWAY | frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        # Public codes, though named with an underscore: the client heard of no leader, or of no such topic yet.
        KafkaError._NOENT,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)
"""The broker is away, or nobody or somebody else leads the partition now: asked again in a moment, it is answered."""

_T = TypeVar("_T")


def ends_of(
    admin: AdminClient, partitions: Iterable[Partition], seconds: float = ASK_SECONDS, *, decided: bool = True
) -> dict[Partition, int]:
    """Where each partition ends now, waiting for it, and for their leaders; raises KafkaException.

    With ``decided`` before the first transaction that is still open: a reader of committed records comes no further.
    Without, behind all that was written.
    """
    found = _waited_for(admin, partitions, _LATEST, seconds, decided=decided)
    return {place: int(info.offset) for place, info in found.items()}


def newest_in(admin: AdminClient, topic: str, numbers: Iterable[int], seconds: float = ASK_SECONDS) -> int | None:
    """The latest time (broker's milliseconds) of a record in these partitions; None without any; KafkaException."""
    found = _waited_for(admin, [(topic, number) for number in numbers], _NEWEST, seconds, decided=False)
    newest = max((int(info.timestamp) for info in found.values()), default=-1)
    return None if newest < 0 else newest


def end_for(consumer: Consumer, topic: str, number: int, seconds: float) -> int:
    """Where a partition ends for a consumer, asked over its own connection; raises KafkaException."""
    return bounds_for(consumer, topic, number, seconds)[1]


def bounds_for(consumer: Consumer, topic: str, number: int, seconds: float) -> tuple[int, int]:
    """Where a partition begins and ends for a consumer, asked over its own connection, waiting for its leader.

    Raises KafkaException.
    """
    place = TopicPartition(topic, number)
    begin, end = _led(
        lambda left: consumer.get_watermark_offsets(place, timeout=left),
        lambda left: consumer.list_topics(topic, timeout=left),
        seconds,
    )
    return int(begin), int(end)


def _waited_for(
    admin: AdminClient, partitions: Iterable[Partition], what: OffsetSpec, seconds: float, *, decided: bool
) -> dict[Partition, Any]:
    places = list(partitions)

    def ask(left: float) -> dict[Partition, Any]:
        asked = _asked(admin, places, what, left, decided=decided)
        return {place: future.result() for place, future in asked.items()}

    return _led(ask, lambda left: admin.list_topics(timeout=left), seconds)


def _led(ask: Callable[[float], _T], look: Callable[[float], object], seconds: float) -> _T:
    """What is answered within so many seconds, looking anew at who leads whenever that is not known."""
    until = time.monotonic() + seconds
    is_known = True
    while True:
        try:
            if not is_known:
                look(max(until - time.monotonic(), _AGAIN_SECONDS))
            return ask(max(until - time.monotonic(), _AGAIN_SECONDS))
        except KafkaException as error:
            if error.args[0].code() not in _ASKED_AGAIN or time.monotonic() + _AGAIN_SECONDS >= until:
                raise
        is_known = False
        time.sleep(_AGAIN_SECONDS)


def _asked(
    admin: AdminClient, partitions: Iterable[Partition], what: OffsetSpec, seconds: float, *, decided: bool
) -> dict[Partition, Future[Any]]:
    places = {TopicPartition(topic, number): what for topic, number in partitions}
    if not places:
        return {}
    level = IsolationLevel.READ_COMMITTED if decided else IsolationLevel.READ_UNCOMMITTED
    asked = admin.list_offsets(places, isolation_level=level, request_timeout=seconds)
    return {(place.topic, place.partition): found for place, found in asked.items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said: ``ends`` of partitions, and how many ``partitions`` each topic has.

    ``asked_at`` is the clock's time (micros) before it was asked. What it did not say is left out.
    """

    asked_at: int
    ends: Mapping[Partition, int]
    partitions: Mapping[str, int] = field(default_factory=dict)


class Ends:
    """Asks every so many seconds for the ends of some partitions, and for the partitions of ``topics``.

    ``decided`` is as in `ends_of`.
    """

    def __init__(
        self,
        connect: Callable[[], AdminClient],
        clock: Clock,
        every: float,
        topics: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
        *,
        decided: bool = True,
    ) -> None:
        self._connect = connect
        self._decided = decided
        self._admin: AdminClient | None = None
        self._clock = clock
        self._every = every
        self._topics = list(topics)
        self._monotonic = monotonic
        self._asked = -every
        self._asked_at = 0
        self._ends: dict[Partition, Future[Any]] = {}
        self._described: dict[str, Future[Any]] = {}

    def poll(self, partitions: Collection[Partition]) -> Answer | None:
        """The latest answer, once. Asks anew when it is time."""
        answer = None
        if self._ends and all(future.done() for future in (*self._ends.values(), *self._described.values())):
            ends = {key: int(found.offset) for key, future in self._ends.items() if (found := _answer(future))}
            described = {name: found for name, future in self._described.items() if (found := _answer(future))}
            answer = Answer(self._asked_at, ends, {name: len(found.partitions) for name, found in described.items()})
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
        self._ends = _asked(self._admin, partitions, _LATEST, ASK_SECONDS, decided=self._decided)
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
