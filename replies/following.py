"""Following: the violations and the documents, kept up to date from their topics by one thread.

It begins with the topics' beginning, commits nothing and joins no group. A broker that is away is tried again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Final

import structlog
from confluent_kafka import KafkaException, Message

from bus import clients
from bus.documents import ContractsFollower
from bus.errors import kafka_error
from bus.partitions import Partition
from bus.reading import Reading
from replies.episodes import Episodes
from seamwatch.broker import Address
from seamwatch.documents import Estate
from seamwatch.errors import RecordError, SeamwatchError
from seamwatch.wire.codec import Codec

log = structlog.get_logger(__name__)

_BATCH: Final = 1_000
_WAIT_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 3.0
_TIMEOUT_SECONDS: Final = 3.0
_END_SECONDS: Final = 1.0


class Following(threading.Thread):
    """What is known. ``episodes`` and ``estate`` are written by this thread alone; ``ready`` while all is read."""

    def __init__(self, kafka: Address, prefix: str, codec: Codec) -> None:
        super().__init__(name="following", daemon=True)
        self._kafka = kafka
        self._prefix = prefix
        self._codec = codec
        self._positions: dict[Partition, int] = {}
        self._ended = threading.Event()
        self.episodes = Episodes()
        self.estate = Estate(persons={}, systems={})
        self.ready = threading.Event()
        self.unread = 0
        """How many records could not be read."""

    def end(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join(_END_SECONDS)

    def run(self) -> None:
        """Follow until told to end. Of an error of ours the process ends, rather than go on with what was."""
        try:
            while not self._ended.is_set():
                try:
                    self._follow()
                except KafkaException as error:
                    self.ready.clear()
                    log.warning("what is open cannot be followed", reason=str(self._error(error)))
                except SeamwatchError as error:
                    self.ready.clear()
                    log.warning("what is open cannot be followed", reason=str(error))
                self._ended.wait(_AGAIN_SECONDS)
        except BaseException:
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    def _error(self, error: KafkaException) -> SeamwatchError:
        return kafka_error(error, "following what is open", self._kafka)

    def _follow(self) -> None:
        documents = ContractsFollower(self._kafka, self._prefix)
        consumer = clients.reader(self._kafka, f"{self._prefix}.replies", {"log_level": 2})
        try:
            self.estate = documents.estate
            followed = self._followed(consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics)
            reading = Reading(consumer, self._kafka, {place: self._positions.get(place, 0) for place in followed})
            looked = time.monotonic()
            while not self._ended.is_set():
                for message in reading.read(_BATCH, _WAIT_SECONDS):
                    self._take(message)
                self._positions.update(reading.at)
                if documents.poll():
                    self.estate = documents.estate
                if not reading.left:
                    self.ready.set()
                if time.monotonic() - looked >= _LOOK_SECONDS:
                    looked = time.monotonic()
                    grown = self._followed(consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics) - followed
                    reading.more(dict.fromkeys(grown, 0))
                    followed |= grown
        finally:
            consumer.close()
            documents.close()

    def _followed(self, present: dict[str, object]) -> set[Partition]:
        wanted = f"{self._prefix}.violations."
        return {
            (name, number)
            for name, topic in present.items()
            if name.startswith(wanted)
            for number in topic.partitions  # type: ignore[attr-defined]  # the client's own metadata
        }

    def _take(self, message: Message) -> None:
        value = message.value()
        if not value:
            return
        try:
            self.episodes.take(self._codec.decode("violation", value))
        except RecordError as error:
            self.unread += 1
            log.warning("a record could not be read", topic=message.topic(), offset=message.offset(), reason=str(error))
