"""What one round of the recorder works on: messages in runs of one topic partition each.

Splits what `consume` returned without a Python step per message; decodes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from confluent_kafka import KafkaError, Message

from seamwatch.errors import SeamwatchError, StageError, StoreError, UnreachableError

Place = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True, slots=True)
class Run:
    """Messages of one topic partition, in offset order."""

    topic: str
    partition: int
    messages: list[Message]

    @property
    def place(self) -> Place:
        """The topic partition they are of."""
        return (self.topic, self.partition)

    @property
    def last_offset(self) -> int:
        """The offset of the last of them."""
        return offset_of(self.messages[-1])


def split(messages: list[Message]) -> tuple[list[Run], dict[Place, int]]:
    """Runs of one topic partition each, and the ends of partitions that were reached.

    Raises UnreachableError or StoreError where one of the messages is an error that reading cannot go on after.
    """
    ends: dict[Place, int] = {}
    if any(map(Message.error, messages)):
        messages = _without_events(messages, ends)
    if not messages:
        return [], ends
    partitions = np.fromiter(map(Message.partition, messages), np.int64, len(messages))
    topics = np.fromiter(map(hash, map(Message.topic, messages)), np.int64, len(messages))
    changes = np.flatnonzero((partitions[1:] != partitions[:-1]) | (topics[1:] != topics[:-1])) + 1
    return [_run(messages[start:end]) for start, end in pairwise([0, *changes.tolist(), len(messages)])], ends


def offset_of(message: Message) -> int:
    """The offset of a message that was consumed."""
    offset = message.offset()
    assert offset is not None
    return offset


def _run(messages: list[Message]) -> Run:
    return Run(messages[0].topic() or "", messages[0].partition() or 0, messages)


def _without_events(messages: list[Message], ends: dict[Place, int]) -> list[Message]:
    kept = []
    for message in messages:
        error = message.error()
        if error is None:
            kept.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
            ends[message.topic() or "", message.partition() or 0] = offset_of(message)
        elif not error.retriable() and error.code() not in _PASSING:
            raise _consumer_error(error, message)
    return kept


# The client goes on trying by itself: a broker that is away, a topic that is created later.
_PASSING = {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
}


def is_no_longer_ours(error: KafkaError) -> bool:
    """Whether the group refuses us because it has given our partitions away, which the next `consume` will tell."""
    return error.code() in _MOVED_ON


_MOVED_ON = {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS}


def reading_error(error: KafkaError, what: str) -> SeamwatchError:
    """Our error for one of Kafka's that ends the recorder."""
    # The client tells it as a fatal error, with the broker's reason in words only.
    if error.code() in (KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED) or "fenced" in error.str():  # noqa: SLF001
        return StageError(
            "another recorder runs under this one's name and has taken its place: give each process its own "
            f"SEAMWATCH_INSTANCE ({error.str()})"
        )
    return UnreachableError(f"{what} cannot be read: {error.str()}")


def _consumer_error(error: KafkaError, message: Message) -> SeamwatchError:
    place = f"{message.topic()}[{message.partition()}]" if message.topic() else "Kafka"
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
        return StoreError(
            f"{place}: the records after the store's position are gone from the topic ({error.str()}): retention took "
            'them before they were recorded, or the topic was made anew. docs/store.md, "When records are gone", '
            "says how to accept the gap and go on."
        )
    return reading_error(error, place)
