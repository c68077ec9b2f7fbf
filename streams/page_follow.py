"""What the pager knows whatever Faust's consumer group did: violations, pages and persons, read from their beginning.

A reader without a group or commits, on a thread of its own; it hands on what it reads, and says when it has caught
up. What was delivered is read when all that is open is known, so that nothing of what is over need be remembered.
Values that are no records are passed over: the recorder keeps them as dead letters.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from seamwatch.errors import RecordError, UnreachableError
from seamwatch.judging.facts import Notice, Violation
from seamwatch.outages import Outage
from seamwatch.paging import Recipient, as_told
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from seamwatch.wire.values import violation_of
from streams.errors import AWAY, PARTITION_END, consumer_error

_log = structlog.get_logger("streams.page")

LOOK_SECONDS = 10.0
"""How often it is looked whether topics have grown."""

Place = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A state of a violation, and where it was said."""

    violation: Violation
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Told:
    """A page record: what came of telling a person of a step."""

    violation_id: str
    step: int
    result: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Known:
    """A person as published; None when withdrawn."""

    id: str
    recipient: Recipient | None


@dataclass(frozen=True, slots=True)
class Said:
    """A state of an outage, and where it was said."""

    outage: Outage
    topic: str
    partition: int
    offset: int


News = Heard | Told | Known | Said


class Follower:
    """Follows the topics until ``close``; ``tell`` is called on the follower's thread with what was read, in order.

    ``tell`` is called with an empty list once the ends of all partitions have been reached. What is not readable is
    counted in ``unreadable``.
    """

    def __init__(
        self, bootstrap: str, topics: Topics, kinds: Sequence[str], tell: Callable[[list[News]], None], codec: Codec
    ) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._names = [*(topics.violations(kind) for kind in kinds), topics.notice, topics.outage, topics.contracts]
        self._last = topics.page
        self._tell = tell
        self._codec = codec
        self._stop = Event()
        self.error: BaseException | None = None
        self.unreadable = 0
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
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                # Required by the client; nothing is ever committed under it.
                "group.id": f"{self._topics.prefix}.page-follower",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
                "log_level": 3,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            }
        )
        try:
            first, last = self._places(consumer)
            places, looked = first | last, time.monotonic()
            consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in first])
            self._read_to_end(consumer, first)
            consumer.incremental_assign([TopicPartition(*place, OFFSET_BEGINNING) for place in last])
            self._read_to_end(consumer, last)
            self._tell([])
            while not self._stop.is_set():
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    self._take_up_new(consumer, places)
                self._read_some(consumer, set())
        except KafkaException as error:
            raise UnreachableError(f"the pager's topics cannot be read: {error.args[0]}") from error
        finally:
            consumer.close()

    def _read_to_end(self, consumer: Consumer, behind: set[Place]) -> None:
        while behind and not self._stop.is_set():
            self._read_some(consumer, behind)

    def _read_some(self, consumer: Consumer, behind: set[Place]) -> None:
        """Hand on what has come; those partitions that were read to their end are behind no longer."""
        messages = consumer.consume(1_000, 0.2)
        if news := [found for message in messages if (found := self._read(message, behind)) is not None]:
            self._tell(news)

    def _places(self, consumer: Consumer) -> tuple[set[Place], set[Place]]:
        """The partitions of what may be open, and of what was delivered."""
        known = consumer.list_topics(timeout=10).topics
        missing = [name for name in (*self._names, self._last) if name not in known]
        if missing:
            raise UnreachableError(
                f"topic {missing[0]} does not exist at {self._bootstrap}: create it with `seamwatch topics create`"
            )
        first = {(name, number) for name in self._names for number in known[name].partitions}
        return first, {(self._last, number) for number in known[self._last].partitions}

    def _take_up_new(self, consumer: Consumer, places: set[Place]) -> None:
        """Follow the partitions that topics have grown by, from their beginning."""
        try:
            first, last = self._places(consumer)
        except KafkaException:
            # The broker is away: what it would have told is asked again in time.
            return
        if new := (first | last) - places:
            consumer.incremental_assign([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(new)])
            places |= new

    def _read(self, message: Message, behind: set[Place]) -> News | None:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        error = message.error()
        if error is not None:
            if error.code() == PARTITION_END:
                behind.discard((topic, partition))
            elif error.code() not in AWAY:
                raise consumer_error(error, topic, partition)
            return None
        try:
            return self._news(topic, partition, offset, message)
        except (RecordError, ValueError, KeyError, TypeError) as problem:
            self.unreadable += 1
            _log.warning("not readable, passed over", topic=topic, partition=partition, offset=offset, why=str(problem))
            return None

    def _news(self, topic: str, partition: int, offset: int, message: Message) -> News | None:
        key, value = message.key(), message.value()
        if topic == self._topics.contracts:
            return _known(_text(key), value)
        if value is None:
            return None
        if topic == self._topics.page:
            page = self._codec.decode("page", value)
            return Told(page["violation_id"], page["step"], page["result"], page["sent_at"])
        if topic == self._topics.outage:
            return Said(Outage(**self._codec.decode("outage", value)), topic, partition, offset)
        if topic == self._topics.notice:
            return Heard(as_told(Notice(**self._codec.decode("notice", value))), topic, partition, offset)
        return Heard(violation_of(self._codec.decode("violation", value)), topic, partition, offset)


def _text(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key or "")


def _known(key: str, value: bytes | str | None) -> Known | None:
    kind, _, identity = key.partition("/")
    if kind != "Person":
        return None
    if value is None:
        return Known(identity, None)
    document = json.loads(value)["document"]
    channels = tuple(str(url) for url in document.get("channels") or ())
    return Known(
        identity, Recipient(identity, str(document.get("name") or identity), channels, signs=bool(document.get("keys")))
    )
