"""Lag: how many records of each topic partition are not in the store yet, as the broker counts them.

The broker is asked in the background, so that the figure moves on while reading is paused and while nothing comes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from sinks.lanes import Lane
from sinks.metrics import Metrics
from sinks.reading import Place

EVERY_SECONDS: Final = 5.0


class Lag:
    """Keeps the metric of some topic partitions up to date."""

    def __init__(self, bootstrap: str, metrics: Metrics) -> None:
        self._bootstrap = bootstrap
        self._admin: AdminClient | None = None
        self._metrics = metrics
        self._asked: dict[TopicPartition, Future[Any]] = {}
        self._next = 0.0

    def keep(self, lanes: Mapping[Place, Lane], recorded: Mapping[Place, int]) -> None:
        """Take in what the broker has answered, and ask again when it is time; never waits."""
        if not self._asked and lanes and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            wanted = {TopicPartition(*place): OffsetSpec.latest() for place in lanes}  # type: ignore[no-untyped-call]
            if self._admin is None:
                self._admin = AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 0})
            self._asked = self._admin.list_offsets(wanted)
        elif self._asked and all(future.done() for future in self._asked.values()):
            for at, future in self._asked.items():
                try:
                    end = int(future.result().offset)
                except KafkaException:
                    # It asks by what it heard of the leaders once, and is refused for ever when they have moved.
                    self._admin = None
                    continue
                if (lane := lanes.get((at.topic, at.partition))) is not None:
                    self._tell(lane, recorded.get((at.topic, at.partition)), end)
            self._asked = {}

    def forget(self) -> None:
        """Show nothing of partitions that are another's now."""
        self._asked = {}
        self._metrics.lag.clear()

    def _tell(self, lane: Lane, recorded: int | None, end: int) -> None:
        # Ends of transactions have offsets and are no records: what was read to the end and recorded has no lag.
        done = not lane.is_behind(end) and recorded == lane.position
        behind = 0 if done else end - (recorded or 0)
        self._metrics.lag.labels(lane.topic, lane.partition).set(max(behind, 0))
