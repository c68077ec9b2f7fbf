"""Partition buffers: what the recorder has read of one topic partition and not handed over yet.

Keeps order and bounds; where it begins is what the store said, and it never skips.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import accumulate

from confluent_kafka import Message

from bus.batches import PartitionMessages
from sinks.batches import Range
from sinks.record.rounds import offset_of
from sinks.store.positions import Position


@dataclass(frozen=True, slots=True)
class Cut:
    """The next range of a buffer and its messages; ``repeated``: it was set out on before, with these bounds."""

    run: PartitionMessages
    first_offset: int
    next_offset: int
    bytes: int
    repeated: bool


class PartitionBuffer:
    """One topic partition from its position on."""

    def __init__(self, topic: str, partition: int, position: Position | None) -> None:
        known = position or Position()
        self.topic = topic
        self.partition = partition
        self.size = known.size
        self.intent: Range | None = known.intent
        self.position: int | None = known.intent.first_offset if known.intent else known.offset
        self.end = -1
        self.since = time.monotonic()
        self.bytes = 0
        self._messages: list[Message] = []

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, messages: list[Message]) -> None:
        """Take messages in offset order; those before the position, or delivered twice, are not taken again."""
        wanted = offset_of(self._messages[-1]) + 1 if self._messages else self.position
        if wanted is not None and offset_of(messages[0]) < wanted:
            messages = [message for message in messages if offset_of(message) >= wanted]
        if not messages:
            return
        if not self._messages:
            self.since = time.monotonic()
        self._messages += messages
        self.bytes += sum(map(len, messages))

    @property
    def next(self) -> int:
        """Up to where it has been read."""
        last = offset_of(self._messages[-1]) + 1 if self._messages else 0
        return max(last, self.position or 0, self.end)

    def is_behind(self, end: int) -> bool:
        """Whether there is more in the topic partition, up to this end of it, than was read and handed over."""
        return bool(self._messages) or max(self.position or 0, self.end) < end

    @property
    def is_ready(self) -> bool:
        """Whether a range can be cut: an open intent once all of it has been read, otherwise any message."""
        if self.intent is None:
            return bool(self._messages)
        last = offset_of(self._messages[-1]) if self._messages else -1
        return max(last + 1, self.end) >= self.intent.next_offset

    def cut(self, rows: int, size: int) -> Cut:
        """Take the next range: the open intent's own, otherwise at most ``rows`` messages of ``size`` bytes or one."""
        if self.intent is not None:
            first, following = self.intent.first_offset, self.intent.next_offset
            count = sum(offset_of(message) < following for message in self._messages)
        else:
            count = self._count(rows, size)
            first = offset_of(self._messages[0]) if self.position is None else self.position
            following = offset_of(self._messages[count - 1]) + 1
        taken, self._messages = self._messages[:count], self._messages[count:]
        repeated, self.intent = self.intent is not None, None
        run = PartitionMessages(self.topic, self.partition, taken)
        cut = Cut(run, first, following, sum(map(len, taken)), repeated)
        self.bytes -= cut.bytes
        self.position = following
        return cut

    def _count(self, rows: int, size: int) -> int:
        if self.bytes <= size:
            return min(rows, len(self._messages))
        fitting = sum(total <= size for total in accumulate(map(len, self._messages[:rows])))
        return max(fitting, 1)
