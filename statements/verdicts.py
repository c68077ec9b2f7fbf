"""Waits for what the judge makes of an acknowledgement or an attestation, on the topic of verdicts.

Opened before the acknowledgement is published, so that no verdict is missed; commits nothing, and joins no group.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from seamwatch.broker import Address

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

_TIMEOUT_SECONDS = 10.0


class Verdicts:
    """The verdicts from now on. Raises UnreachableError when the broker does not answer."""

    def __init__(self, bootstrap: Address, topic: str) -> None:
        from confluent_kafka import KafkaException

        from bus import clients
        from bus.refusals import unreachable

        self._topic = topic
        self._consumer: Consumer = clients.consumer(
            bootstrap,
            {
                "group.id": f"{topic}.ack-{uuid4()}",  # required by the client, and never joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            },
        )
        try:
            self._assign()
        except KafkaException as error:
            self._consumer.close()
            raise unreachable("looking for verdicts", bootstrap, error.args[0].str()) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def wait(self, acknowledgement_id: str, seconds: float) -> dict[str, Any] | None:
        """The verdict on an acknowledgement; None when none came in time.

        One that says that nothing is known of what was answered may be followed by one that knows, and is waited past.
        """
        return self.wait_for([acknowledgement_id], seconds)[0]

    def wait_for(self, ids: Sequence[str], seconds: float) -> list[dict[str, Any] | None]:
        """The verdict on each of several, in their order, as `wait` gives one; all of them in that time."""
        found: dict[str, dict[str, Any]] = {}
        known = set[str]()
        until = time.monotonic() + seconds
        while len(known) < len(ids) and (left := until - time.monotonic()) > 0:
            message = self._consumer.poll(min(left, 0.2))
            if message is None or message.error() is not None or (name := _key(message)) not in ids:
                continue
            verdict = _decoded(message)
            if name is not None and verdict is not None:
                found[name] = verdict
                if verdict["reason"] != "unknown":
                    known.add(name)
        return [found.get(name) for name in ids]

    def _assign(self) -> None:
        from confluent_kafka import TopicPartition

        from bus.ends import end_for

        known = self._consumer.list_topics(self._topic, timeout=_TIMEOUT_SECONDS).topics[self._topic]
        places = []
        for number in known.partitions:
            # The end itself, and not "from the end on": that is found out only when the first message is fetched.
            end = end_for(self._consumer, self._topic, number, _TIMEOUT_SECONDS)
            places.append(TopicPartition(self._topic, number, end))
        self._consumer.assign(places)


def _key(message: Message) -> str | None:
    key = message.key()
    return key.decode(errors="replace") if isinstance(key, bytes) else key


def _decoded(message: Message) -> dict[str, Any] | None:
    from seamwatch.errors import RecordError
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import codec_of

    value = message.value()
    try:
        return None if not isinstance(value, bytes) else dict(codec_of(load_settings()).decode("verdict", value))
    except RecordError:
        return None
