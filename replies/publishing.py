"""Publishing: acknowledgements to Kafka, each waited for until the broker has it. What they say is the relay's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from seamwatch.broker import Address
from seamwatch.sdk.publisher import Publisher
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

_TIMEOUT_SECONDS: Final = 10.0
"""Services give an answer some seconds: a broker that takes longer has them call again."""


class Publishing:
    """A publisher that is made when it is needed, and anew after the broker was away. For one thread at a time."""

    def __init__(self, kafka: Address, prefix: str, codec: Codec) -> None:
        self._kafka = kafka
        self._topics = Topics(prefix)
        self._codec = codec
        self._publisher: Publisher | None = None

    def publish(self, record: Mapping[str, Any]) -> None:
        """Publish an acknowledgement. Raises SeamwatchError unless the broker has it."""
        if self._publisher is None:
            self._publisher = Publisher(self._kafka, self._topics, self._codec, _TIMEOUT_SECONDS)
        publisher, self._publisher = self._publisher, None
        publisher.send("acknowledgement", record)
        publisher.finish()
        # One that failed may hold a record back, which is to be sent again by whoever calls again, and not by it.
        self._publisher = publisher
