"""Standstill: whether a stage goes on reading as long as there is something to read, and how far it is behind.

The last net under all that should have ended a stage that reads no more. Asks the broker every few seconds, without
waiting for it, where the partitions end; what could not be asked is no verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from confluent_kafka.admin import AdminClient

from bus.ends import Ends
from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.errors import StageError

ASK_SECONDS = 5.0
ANSWERS = 12
"""So many answers in a row without anything read are a standstill: a minute, of reading and not of computing."""
ASSIGNMENT_SECONDS = 360.0
"""A rebalance waits for the slowest member of the group, which librdkafka gives five minutes."""


class Standstill:
    """Watches one consumer. ``show`` is told how many records are behind each position, whenever that is known anew."""

    def __init__(
        self,
        connect: Callable[[], AdminClient],
        show: Callable[[Mapping[Partition, int]], None] = lambda _lag: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ends = Ends(connect, SystemClock(), ASK_SECONDS, monotonic=monotonic)
        self._show = show
        self._monotonic = monotonic
        self._positions: Mapping[Partition, int] = {}
        self._answers = 0
        self._waiting_since = monotonic()

    def moved(self) -> None:
        """The group has told what is assigned, or that nothing is any more."""
        self._ends.forget()
        self._positions, self._answers = {}, 0
        self._waiting_since = self._monotonic()

    def look(self, assigned: Collection[Partition] | None, positions: Mapping[Partition, int]) -> None:
        """Look at what has been read; ``assigned`` is None as long as the group has not told what to read.

        Raises StageError when it has not for six minutes, or when nothing has been read for one, of what there is.
        """
        if assigned is None:
            self._expect_assignment()
            return
        answer = self._ends.poll(assigned)
        if answer is None:
            return
        lag = {place: max(end - positions.get(place, 0), 0) for place, end in answer.ends.items()}
        self._show(lag)
        if positions != self._positions or not any(lag.values()):
            self._positions, self._answers = dict(positions), 0
            return
        self._answers += 1
        if self._answers >= ANSWERS:
            behind = ", ".join(f"{topic}[{number}]: {left}" for (topic, number), left in sorted(lag.items()) if left)
            raise StageError(
                f"nothing has been read for {ANSWERS * ASK_SECONDS:.0f} s although records wait ({behind}): the client "
                "hangs, or these records cannot be fetched. Starting it anew is safe: nothing is lost."
            )

    def _expect_assignment(self) -> None:
        if self._monotonic() - self._waiting_since >= ASSIGNMENT_SECONDS:
            raise StageError(
                f"the group has not told what to read for {ASSIGNMENT_SECONDS:.0f} s. Another of its members may hang: "
                "`kafka-consumer-groups --describe --members` lists them."
            )
