"""Group offsets: tells Kafka how far is recorded, for its tools and `doctor` to show the lag, until it has heard it.

The store alone says where a recorder goes on; nothing depends on these offsets. A commit that failed, since the broker
was away, say, is made again: else a partition to which nothing comes any more looked behind for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from bus.partitions import Partition

AGAIN_SECONDS: Final = 5.0
"""So long after a commit that failed it is made again."""


class GroupOffsets:
    """What is still to be committed to the group. Used by the thread that polls the consumer alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._owed: dict[Partition, int] = {}
        self._asked: dict[Partition, int] = {}
        self._not_before = 0.0
        self._monotonic = monotonic

    def configuration(self) -> dict[str, Any]:
        """What the consumer is configured with, so that commits that failed are heard of."""
        return {"on_commit": self._on_commit}

    def forget(self) -> None:
        """No partition is ours any more."""
        self._owed, self._asked = {}, {}

    def owe(self, recorded: Mapping[Partition, int]) -> None:
        """So far is recorded: the offset after the last, by partition."""
        self._owed |= recorded

    def commit(self, consumer: Consumer) -> None:
        """Commit what is owed, without waiting for the broker."""
        if not self._owed or self._monotonic() < self._not_before:
            return
        self._asked, owed = self._asked | self._owed, self._owed
        self._owed = {}
        consumer.commit(offsets=[TopicPartition(*place, at) for place, at in owed.items()], asynchronous=True)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Called from within ``consume``; what was refused is owed again, unless more has been recorded since."""
        for each in partitions:
            place = (each.topic, each.partition)
            failed = error is not None or each.error is not None
            if self._asked.get(place) != each.offset:
                continue
            del self._asked[place]
            if failed:
                self._owed.setdefault(place, each.offset)
                self._not_before = self._monotonic() + AGAIN_SECONDS
