"""The publisher: sends records and waits until the broker has them, for commands and tests.

Unlike the emitter it tells its caller of every trouble: a tool that cannot send has nothing else to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from seamwatch.broker import Address, is_refusal, not_let_in, not_made
from seamwatch.errors import StageError, UnreachableError, UsageError
from seamwatch.sdk.sender import producer_settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

_AWAY = (KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN)  # noqa: SLF001 - its own names


class Publisher:
    """Sends input records, keyed by their system."""

    def __init__(self, bootstrap: Address, topics: Topics, codec: Codec, timeout: float = 30.0) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._codec = codec
        self._timeout = timeout
        self._failure: KafkaError | None = None
        self._refused: str | None = None
        try:
            self._producer = Producer(producer_settings(bootstrap, timeout) | {"error_cb": self._on_error})
        except KafkaException as error:
            raise not_made(bootstrap, error) from None
        self.delivered = 0
        self._present = self._topics_there()

    def send(self, record_type: str, record: Mapping[str, Any]) -> None:
        """Send one record, waiting for room if there is none.

        Raises RecordError when it is not right, UsageError when there is no such topic (a broker shows none to who has
        no right to it), and as ``finish`` does for an earlier one.
        """
        value = self._codec.encode(record_type, record)
        topic = self._topics.input(record_type)
        if topic not in self._present:
            raise UsageError(f"there is no topic {topic}: create the topics with `seamwatch topics create`")
        while True:
            try:
                self._producer.produce(topic, value, str(record["system"]).encode(), on_delivery=self._done)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)
        self._demand_success()

    def finish(self) -> int:
        """Wait until the broker has everything; returns how many records it has.

        Raises UnreachableError when it does not answer.
        """
        left = self._producer.flush(self._timeout + 5)
        self._demand_success()
        if left:
            raise UnreachableError(f"Kafka at {self._bootstrap} has not taken {left} records")
        return self.delivered

    def _done(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._failure = self._failure or error

    def _on_error(self, error: KafkaError) -> None:
        if is_refusal(error):
            self._refused = error.str()

    def _away(self, said: str) -> UnreachableError:
        self._producer.poll(0)  # so that the reason is heard
        if self._refused is not None:
            return UnreachableError(not_let_in(self._bootstrap, self._refused))
        return UnreachableError(f"Kafka at {self._bootstrap} does not answer: {said}")

    def _topics_there(self) -> frozenset[str]:
        try:
            return frozenset(self._producer.list_topics(timeout=min(self._timeout, 15.0)).topics)
        except KafkaException as error:
            raise self._away(error.args[0].str()) from error

    def _demand_success(self) -> None:
        if self._failure is None:
            return
        failure, self._failure = self._failure, None
        if failure.code() in _AWAY:
            raise self._away(failure.str())
        raise StageError(f"Kafka at {self._bootstrap} refused a record: {failure.str()}")
