"""What one round of the loop works on: messages in runs of one partition each, and how far that leads.

Splits what `consume` returned without a Python step per message; decodes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from confluent_kafka import Message

from bus.errors import PARTITION_END, consumer_error
from bus.partitions import Partition


@dataclass(frozen=True, slots=True)
class PartitionMessages:
    """Messages of one partition, in offset order."""

    topic: str
    partition: int
    messages: list[Message]

    @property
    def key(self) -> Partition:
        """The partition they are of."""
        return (self.topic, self.partition)


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of one round.

    ``positions`` has, for every assigned partition of which anything is known, the next offset to be consumed once
    this batch is done with. A partition's end that was reached counts, so that transaction markers, which are no
    messages but have offsets, do not look like messages still to come.
    """

    runs: tuple[PartitionMessages, ...] = ()
    positions: Mapping[Partition, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(run.messages) for run in self.runs)

    def by_topic(self) -> dict[str, list[PartitionMessages]]:
        """The runs of each topic, in the order they came."""
        topics: dict[str, list[PartitionMessages]] = {}
        for run in self.runs:
            topics.setdefault(run.topic, []).append(run)
        return topics


def split(messages: list[Message]) -> tuple[list[PartitionMessages], dict[Partition, int]]:
    """Runs of one partition each, and the ends of partitions that were reached, from what `consume` returned.

    Raises StageError or UnreachableError when one of the messages is an error of the consumer.
    """
    ends: dict[Partition, int] = {}
    if any(map(Message.error, messages)):
        messages = list(_without_events(messages, ends))
    if not messages:
        return [], ends
    partitions = np.fromiter(map(Message.partition, messages), np.int64, len(messages))
    changed = partitions[1:] != partitions[:-1]
    topics = list(map(Message.topic, messages))
    if topics.count(topics[0]) < len(topics):
        named = np.fromiter(map(hash, topics), np.int64, len(topics))
        changed |= named[1:] != named[:-1]
    changes = np.flatnonzero(changed) + 1
    borders = [0, *changes.tolist(), len(messages)]
    runs = [_run(messages[start:end]) for start, end in pairwise(borders)]
    return runs, ends


def _without_events(messages: Iterable[Message], ends: dict[Partition, int]) -> Iterable[Message]:
    for message in messages:
        error = message.error()
        if error is None:
            # Messages after an end are of a partition that has grown again.
            ends.pop((message.topic() or "", message.partition() or 0), None)
            yield message
        elif error.code() == PARTITION_END:
            ends[message.topic() or "", message.partition() or 0] = _offset(message)
        else:
            raise consumer_error(error, message.topic(), message.partition())


def _run(messages: list[Message]) -> PartitionMessages:
    first = messages[0]
    return PartitionMessages(first.topic() or "", first.partition() or 0, messages)


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset


def broker_time(message: Message) -> int:
    """When the broker appended the message, in milliseconds since the epoch; 0 where it does not say."""
    return max(int(message.timestamp()[1]), 0)
