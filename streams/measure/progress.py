"""Progress: how far each input partition has been measured, as watermarks in event time.

A partition that has been read to its end is measured up to the moment at which the broker said where its end is:
whatever comes later was appended after that moment. One that lags behind is measured up to the event times it has
reached. Nothing here reads or judges events.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping

from bus.partitions import Partition
from seamwatch.judging.model.facts import Watermark

QUIET_SECONDS = 5.0
TRAILING_SECONDS = 2.0


class Progress:
    """The watermarks of the partitions this process has been assigned."""

    def __init__(self, max_age: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._max_age = max_age
        self._monotonic = monotonic
        self._reached: dict[Partition, int] = {}
        self._coming: dict[Partition, deque[tuple[float, int]]] = {}
        self._ends: dict[Partition, int] = {}
        self._asked_at = 0
        self._assigned: frozenset[Partition] = frozenset()
        self._since = 0.0
        self.began: int | None = None
        """The earliest event time measured so far; what was too old to be judged is taken for its arrival."""

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These partitions are ours."""
        self._assigned = frozenset(partitions)
        self._since = self._monotonic()

    def forget(self) -> None:
        """No partition is ours any more."""
        self._assigned = frozenset()
        self._reached.clear()
        self._coming.clear()
        self._ends.clear()

    def measured(self, partition: Partition, times: tuple[int, int] | None, arrived: int) -> None:
        """A batch is measured: its earliest and latest event time (None: no good event), and its last arrival."""
        known = times is not None
        times = (arrived, arrived) if times is None else (min(times[0], arrived), min(times[1], arrived))
        self._reached[partition] = max(times[1], self._reached.get(partition, times[1]))
        # What is too old to be judged is no history under way: it must not hold anything up.
        earliest = next((time for time in times if time >= arrived - self._max_age), arrived)
        if known:
            self.began = earliest if self.began is None else min(self.began, earliest)
        now = self._monotonic()
        batches = self._coming.setdefault(partition, deque())
        batches.append((now, earliest))
        while now - batches[0][0] > TRAILING_SECONDS:
            batches.popleft()

    def received_ends(self, asked_at: int, ends: Mapping[Partition, int]) -> None:
        """The broker told where partitions ended at ``asked_at`` (micros, the stages' clock)."""
        self._asked_at = asked_at
        self._ends = dict(ends)

    def watermarks(self, positions: Mapping[Partition, int]) -> tuple[Watermark, ...]:
        """How far each partition is, given the next offset to be read of each.

        None at all until something is known of every partition that is ours: a judge that heard of some only would
        take the silence of the others for their news, and find a data set stale whose refresh has not been read yet.
        """
        marks = []
        for partition in sorted({*positions, *self._ends}):
            position, end = positions.get(partition, 0), self._ends.get(partition)
            caught_up = end is not None and position >= end
            if caught_up:
                self._reached[partition] = max(self._asked_at, self._reached.get(partition, self._asked_at))
            reached = self._reached.get(partition)
            if reached is not None:
                marks.append(Watermark(*partition, position, reached, caught_up, self._progress(partition, caught_up)))
        known = {(mark.topic, mark.partition) for mark in marks}
        return tuple(marks) if known >= self._assigned else ()

    def _progress(self, partition: Partition, caught_up: bool) -> int | None:
        """The earliest of what came in the last seconds: a history may come in any order, not only in that of time.

        What was under way before these partitions were ours is not known, nor is what lies unread in one of them.
        """
        now, batches = self._monotonic(), self._coming.get(partition)
        if batches and (not caught_up or now - batches[-1][0] < QUIET_SECONDS):
            return min(earliest for _, earliest in batches)
        return None if caught_up and now - self._since >= QUIET_SECONDS else 0
