"""Lag: how many records of each topic partition are not in the store yet, as the broker counts them.

The broker is asked in the background, so that the figure moves on while reading is paused and while nothing comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bus import clients
from bus.ends import Ends
from bus.partitions import Partition
from seamwatch.broker import Address
from seamwatch.clock import SystemClock
from sinks.record.buffers import PartitionBuffer
from sinks.record.metrics import Metrics

EVERY_SECONDS: Final = 5.0


class Lag:
    """Keeps the metric of some topic partitions up to date."""

    def __init__(self, bootstrap: Address, metrics: Metrics) -> None:
        # Also what is in a transaction that is still open waits for us.
        self._ends = Ends(lambda: clients.admin(bootstrap), SystemClock(), EVERY_SECONDS, decided=False)
        self._metrics = metrics

    def keep(self, buffers: Mapping[Partition, PartitionBuffer], recorded: Mapping[Partition, int]) -> None:
        """Take in what the broker has answered, and ask again when it is time; never waits."""
        answer = self._ends.poll(buffers.keys())
        for place, end in () if answer is None else answer.ends.items():
            if (buffer := buffers.get(place)) is not None:
                self._tell(buffer, recorded.get(place), end)

    def forget(self) -> None:
        """Show nothing of partitions that are another's now."""
        self._ends.forget()
        self._metrics.lag.clear()

    def _tell(self, buffer: PartitionBuffer, recorded: int | None, end: int) -> None:
        # Ends of transactions have offsets and are no records: what was read to the end and recorded has no lag.
        done = not buffer.is_behind(end) and recorded == buffer.position
        behind = 0 if done else end - (recorded or 0)
        self._metrics.lag.labels(buffer.topic, buffer.partition).set(max(behind, 0))
