"""From now: a consumer of what topics get from now on, for whoever publishes something and waits for what follows.

Opened before that is published, so that nothing is missed; commits nothing, and joins no group. Decodes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from seamwatch.broker import Address

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

_TIMEOUT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.2


class FromNow:
    """Messages of topics from now on. Raises UnreachableError, about ``doing``, when the broker does not answer.

    ``group`` begins the group's name, which the client requires.
    """

    def __init__(self, bootstrap: Address, topics: Sequence[str], group: str, doing: str) -> None:
        from confluent_kafka import KafkaException

        from bus import clients
        from bus.refusals import unreachable

        self._consumer: Consumer = clients.consumer(
            bootstrap,
            {
                "group.id": f"{group}-{uuid4()}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            },
        )
        try:
            self._assign(topics)
        except KafkaException as error:
            self._consumer.close()
            raise unreachable(doing, bootstrap, error.args[0].str()) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def within(self, seconds: float) -> Iterator[Message]:
        """What comes within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = self._consumer.poll(min(left, _POLL_SECONDS))
            if message is not None and message.error() is None:
                yield message

    def _assign(self, topics: Sequence[str]) -> None:
        from confluent_kafka import TopicPartition

        from bus.ends import end_for

        places = []
        for topic in topics:
            for number in self._consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions:
                # The end itself, and not "from the end on": that is found out only when the first message is fetched.
                end = end_for(self._consumer, topic, number, _TIMEOUT_SECONDS)
                places.append(TopicPartition(topic, number, end))
        self._consumer.assign(places)
