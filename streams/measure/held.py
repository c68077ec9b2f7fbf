"""Held: of which systems something was said that may suspend them, so that their traffic is measured for that.

Reads the topics of what people say and of what the judge concluded, ahead of all traffic: at the start to their ends,
then before each round. It judges nothing: what is said by whoever may not is measured for, and found to be nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Final

import structlog
from confluent_kafka import KafkaException, Message

from bus import clients
from bus.errors import kafka_error
from bus.partitions import Partition
from bus.reading import Reading
from seamwatch.broker import Address
from seamwatch.clock import SystemClock
from seamwatch.durations import DAY
from seamwatch.errors import RecordError, UnreachableError
from seamwatch.judging.patterns.suspensions import GRACE
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

log = structlog.get_logger(__name__)

KEPT_FOR: Final = 31 * DAY
"""So long after the last word about a system that is not suspended its traffic is measured on."""
MOST: Final = 100_000
"""So many systems are held at most; those that were spoken of longest ago go first."""
_READ_SECONDS: Final = 30.0
_AT_ONCE: Final = 1_000


class Standing:
    """What was said of each system, as far as measuring needs it. Times in micros, by the broker's clock."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._suspended: dict[str, str] = {}

    def claimed(self, system: str, at: int) -> None:
        """Somebody said something of a system."""
        at = max(at, self._said.pop(system, at))
        self._said[system] = at
        if len(self._said) > MOST:
            del self._said[next(iter(self._said))]

    def concluded(self, key: str, system: str, *, suspended: bool, at: int) -> None:
        """The judge concluded something of a target of a system."""
        if suspended:
            self._suspended[key] = system
        else:
            self._suspended.pop(key, None)
        self.claimed(system, at)

    def holds(self, system: str) -> bool:
        """Whether anything was said of a system."""
        return system in self._said

    def systems(self, now: int) -> frozenset[str]:
        """The systems whose traffic is to be measured."""
        recent = (system for system, at in self._said.items() if now - at < KEPT_FOR)
        return frozenset(self._suspended.values()).union(recent)


class Held:
    """The systems that are held, kept up to date by `poll`."""

    def __init__(self, bootstrap: Address, topics: Topics, codec: Codec, partitions: int) -> None:
        """Reads the topics to their ends. Raises UnreachableError when nothing comes of them for 30 s.

        ``partitions``: of the topic of what people say.
        """
        self._bootstrap = bootstrap
        self._topics = topics
        self._codec = codec
        self._standing = Standing()
        self._ahead = False
        self._partitions = partitions
        self._consumer = clients.reader(
            bootstrap,
            f"{topics.prefix}.held",
            {
                "fetch.wait.max.ms": 100,
                # While the broker is away the client says so many times a second: our log says it now and then.
                "logger": logging.getLogger("librdkafka"),
            },
        )
        places: list[Partition] = [self._claims(number) for number in range(partitions)]
        self._reading = Reading(self._consumer, bootstrap, dict.fromkeys([*places, (topics.suspended, 0)], 0))
        received_at = time.monotonic()
        while self._reading.left:
            if self._read(0.2):
                received_at = time.monotonic()
            elif time.monotonic() > received_at + _READ_SECONDS:
                raise UnreachableError(
                    f"{topics.suspended} could not be read to its end: nothing came for {_READ_SECONDS:.0f} s from "
                    f"{bootstrap}: is the broker running, and has `seamwatch topics create` been run?"
                )
        self._ahead = True

    def poll(self, claims: Iterable[Message] = ()) -> bool:
        """Take in what has been said since; whether there was anything.

        ``claims`` are those that the stage has just read with the traffic: its client may be ahead of this one.
        """
        heard = False
        for message in claims:
            self._take(message)
            heard = True
        while self._read(0.0):
            heard = True
        return heard

    def grown(self, partitions: int) -> None:
        """Read the partitions as well that the topic of what people say has got since."""
        if partitions > self._partitions:
            self._reading.more({self._claims(number): 0 for number in range(self._partitions, partitions)})
            self._partitions = partitions

    def systems(self, now: int) -> frozenset[str]:
        """The systems whose traffic is to be measured; ``now`` by the wall clock, in micros."""
        return self._standing.systems(now)

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()

    def _claims(self, number: int) -> Partition:
        return self._topics.input("suspension"), number

    def _read(self, wait: float) -> bool:
        try:
            messages = self._reading.read(_AT_ONCE, wait)
        except KafkaException as error:
            raise kafka_error(error, f"reading {self._topics.suspended}", self._bootstrap) from error
        for message in messages:
            self._take(message)
        return bool(messages)

    def _take(self, message: Message) -> None:
        value, at = message.value(), message.timestamp()[1] * 1_000
        if not isinstance(value, bytes):
            return
        try:
            if message.topic() == self._topics.suspended:
                record = self._codec.decode("suspended", value)
                key = message.key()
                name = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
                self._standing.concluded(name, record["system"], suspended=record["state"] == "suspended", at=at)
            else:
                system = self._codec.decode("suspension", value)["system"]
                if self._ahead and not self._standing.holds(system) and SystemClock().now() - at > GRACE:
                    log.warning("a suspension was heard of late: a replay may find more", system=system)
                self._standing.claimed(system, at)
        except RecordError as error:
            # What people say is among the dead letters, by the stage that takes it in.
            log.warning("what is said of suspension cannot be read", topic=message.topic(), why=str(error))
