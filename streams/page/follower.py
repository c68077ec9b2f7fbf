"""What the pager knows whatever Faust's consumer group did: violations, pages and documents, as far as they matter.

A reader that joins no group, on a thread of its own; it hands on what it reads, and says when it has caught up. Where
it begins, marks of former pagers say (`streams.page.beginning`); documents and outages are read from their beginning.
What was delivered is read when all that is open is known, so that nothing of what is over need be remembered. Values
that are no records are passed over: the recorder keeps them as dead letters.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, Message

from bus import clients
from bus.partitions import Partition
from bus.reading import Reading
from seamwatch.broker import Address
from seamwatch.errors import RecordError, UnreachableError
from seamwatch.judging.model.facts import Notice, Violation
from seamwatch.judging.records import violation_of
from seamwatch.notices import notice_as_due
from seamwatch.outages import Outage
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from streams.page.beginning import WHOLE_SECONDS, Needed, marks_of, pick, set_marks
from streams.page.marks import Mark
from streams.page.tellings import Telling, telling_of

_log = structlog.get_logger("streams.page.stage")

LOOK_SECONDS = 10.0
"""How often it is looked whether topics have grown."""
MARK_SECONDS = 60.0
"""How often it is marked where the next pager is to begin."""


@dataclass(frozen=True, slots=True)
class ReceivedViolation:
    """A state of a violation, where it was said, and when (micros, the broker's clock)."""

    violation: Violation
    topic: str
    partition: int
    offset: int
    said_at: int


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """A message of the contracts topic; no value withdraws."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class ReceivedOutage:
    """A state of an outage, and where it was said."""

    outage: Outage
    topic: str
    partition: int
    offset: int


Received = ReceivedViolation | Telling | ReceivedDocument | ReceivedOutage


class Follower:
    """Follows the topics until ``close``; ``receive`` is called on the follower's thread with what was read, in order.

    ``receive`` is called with an empty list once the ends of all partitions have been reached. ``needed`` says from any
    thread what the next one needs, or None while that is not known; all of the last ``whole`` seconds it reads anyway.
    What is not readable is counted in ``unreadable``, what was read in ``read``.
    """

    def __init__(
        self,
        bootstrap: Address,
        topics: Topics,
        kinds: Sequence[str],
        receive: Callable[[list[Received]], None],
        codec: Codec,
        needed: Callable[[], Needed | None],
        whole: float = WHOLE_SECONDS,
        mark_every: float = MARK_SECONDS,
    ) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._names = [*(topics.violations(kind) for kind in kinds), topics.notice, topics.outage, topics.contracts]
        self._last = topics.page
        self._whole_always = {topics.outage, topics.contracts}
        self._needed = needed
        self._whole = whole
        self._mark_every = mark_every
        self._began: dict[Partition, Mark] = {}
        self._receive = receive
        self._codec = codec
        self._stop = Event()
        self.error: BaseException | None = None
        self.unreadable = 0
        self.read = 0
        self._thread = Thread(target=self._run, name="page-follower", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - handed to the pager, which ends with it
            self.error = error

    def _follow(self) -> None:
        consumer = clients.reader(
            self._bootstrap,
            f"{self._topics.prefix}.page-follower",
            {
                "fetch.wait.max.ms": 100,
                "log_level": 3,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            },
        )
        try:
            first, last = self._places(consumer)
            places = first | last
            begin = marks_of(consumer, {place for place in places if place[0] not in self._whole_always})
            self._began = begin
            delivered: list[Message] = []

            def picked(message: Message) -> None:
                if message.topic() == self._last:
                    delivered.append(message)
                else:
                    self._hand_on([message])

            # Of each partition in order: what is needed of old, then all that is newer.
            pick(consumer, begin, picked, self._stop.is_set)
            positions = {place: begin[place].position if place in begin else 0 for place in first}
            reading = Reading(consumer, self._bootstrap, positions, patient=True)
            self._read_to_end(reading)
            self._hand_on(delivered)
            reading.more({place: begin[place].position for place in last})
            self._read_to_end(reading)
            self._receive([])
            looked = marked = time.monotonic()
            while not self._stop.is_set():
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    self._take_up_new(consumer, reading, places)
                if time.monotonic() - marked >= self._mark_every:
                    marked = time.monotonic()
                    self._mark(consumer)
                self._read_some(reading)
        except KafkaException as error:
            raise UnreachableError(f"the pager's topics cannot be read: {error.args[0]}") from error
        finally:
            consumer.close()

    def _read_to_end(self, reading: Reading) -> None:
        while reading.left and not self._stop.is_set():
            self._read_some(reading)

    def _read_some(self, reading: Reading) -> None:
        """Hand on what has come."""
        self._hand_on(reading.read(1_000, 0.2))

    def _hand_on(self, messages: Sequence[Message]) -> None:
        self.read += len(messages)
        if received := [found for message in messages if (found := self._read(message)) is not None]:
            self._receive(received)

    def _mark(self, consumer: Consumer) -> None:
        needed = self._needed()
        if needed is None:
            return
        try:
            set_marks(consumer, needed, self._began, self._whole)
        except KafkaException as error:
            # The broker is away, or refuses: then the next pager reads more.
            _log.warning("not marked where to begin", why=str(error.args[0]))

    def _places(self, consumer: Consumer) -> tuple[set[Partition], set[Partition]]:
        """The partitions of what may be open, and of what was delivered."""
        topics = consumer.list_topics(timeout=10).topics
        missing = [name for name in (*self._names, self._last) if name not in topics]
        if missing:
            raise UnreachableError(
                f"topic {missing[0]} does not exist at {self._bootstrap}: create it with `seamwatch topics create`"
            )
        first = {(name, number) for name in self._names for number in topics[name].partitions}
        return first, {(self._last, number) for number in topics[self._last].partitions}

    def _take_up_new(self, consumer: Consumer, reading: Reading, places: set[Partition]) -> None:
        """Follow the partitions that topics have grown by, from their beginning."""
        try:
            first, last = self._places(consumer)
        except KafkaException:
            # The broker is away: what it would have told is asked again in time.
            return
        if new := (first | last) - places:
            reading.more(dict.fromkeys(new, 0))
            self._began |= {place: Mark(0) for place in new if place[0] not in self._whole_always}
            places |= new

    def _read(self, message: Message) -> Received | None:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        try:
            return self._received(topic, partition, offset, message)
        except (RecordError, ValueError, KeyError, TypeError) as problem:
            self.unreadable += 1
            _log.warning("not readable, passed over", topic=topic, partition=partition, offset=offset, why=str(problem))
            return None

    def _received(self, topic: str, partition: int, offset: int, message: Message) -> Received | None:
        key, value = message.key(), message.value()
        if topic == self._topics.contracts:
            return ReceivedDocument(_text(key), value.encode() if isinstance(value, str) else value)
        if value is None:
            return None
        if topic == self._topics.page:
            return telling_of(self._codec.decode("page", value), (topic, partition, offset))
        if topic == self._topics.outage:
            return ReceivedOutage(Outage(**self._codec.decode("outage", value)), topic, partition, offset)
        if topic == self._topics.notice:
            notice = Notice(**self._codec.decode("notice", value))
            return ReceivedViolation(notice_as_due(notice), topic, partition, offset, _said_at(message))
        violation = violation_of(self._codec.decode("violation", value))
        return ReceivedViolation(violation, topic, partition, offset, _said_at(message))


def _text(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key or "")


def _said_at(message: Message) -> int:
    return message.timestamp()[1] * 1_000
