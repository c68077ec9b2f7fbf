"""Reused: the events of a history that do not count because another one had their id, by producer, and some by name."""

from __future__ import annotations

from collections import Counter
from typing import Final

import polars as pl

from seamwatch.instants import format_instant

NAMED: Final = 20


class Reused:
    """Counts such events of one record type; of the first ones it has a line each."""

    def __init__(self, record_type: str) -> None:
        self._type = record_type
        self.by_producer: Counter[str] = Counter()
        """How many each producer sent."""
        self.named: list[str] = []
        """The first of them, in words."""

    def add(self, events: pl.DataFrame) -> None:
        """Count some more; frames have ``event_id``, ``event_time``, ``system`` and ``producer``."""
        if events.is_empty():
            return
        self.by_producer.update(events["producer"].to_list())
        first = events.head(max(0, NAMED - len(self.named))).select("event_id", "event_time", "system", "producer")
        self.named += [
            f"{self._type} of {system} at {format_instant(time)}: event_id {event_id} was another event's before; "
            f"left out (producer {producer})"
            for event_id, time, system, producer in first.iter_rows()
        ]
