"""What one round of the recorder works on: messages in runs of one topic partition each.

Splits what `consume` returned without a Python step per message; decodes nothing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from confluent_kafka import KafkaError, KafkaException, Message

from bus.batches import PartitionMessages
from bus.errors import AWAY, PARTITION_END, kafka_error
from bus.partitions import Partition
from seamwatch.errors import SeamwatchError, StoreError


def split(messages: list[Message]) -> tuple[list[PartitionMessages], dict[Partition, int]]:
    """Runs of one topic partition each, and the ends of partitions that were reached.

    Raises StageError, UnreachableError or StoreError where one of the messages is an error after which reading cannot
    go on.
    """
    ends: dict[Partition, int] = {}
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


def _run(messages: list[Message]) -> PartitionMessages:
    return PartitionMessages(messages[0].topic() or "", messages[0].partition() or 0, messages)


def _without_events(messages: list[Message], ends: dict[Partition, int]) -> list[Message]:
    kept = []
    for message in messages:
        error = message.error()
        if error is None:
            kept.append(message)
        elif error.code() == PARTITION_END:
            ends[message.topic() or "", message.partition() or 0] = offset_of(message)
        elif not error.retriable() and error.code() not in _PASSING:
            raise _consumer_error(error, message)
    return kept


# The client goes on trying by itself: a broker that is away, a topic that is created later.
_PASSING = {
    *AWAY,
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
    return kafka_error(KafkaException(error), f"reading {what}", None)


def _consumer_error(error: KafkaError, message: Message) -> SeamwatchError:
    place = f"{message.topic()}[{message.partition()}]" if message.topic() else "Kafka"
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
        return StoreError(
            f"{place}: the records after the store's position are gone from the topic ({error.str()}): retention took "
            'them before they were recorded, or the topic was made anew. docs/store.md, "When records are gone", '
            "says how to accept the gap and go on."
        )
    return reading_error(error, place)
