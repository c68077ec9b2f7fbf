"""Disorder: how many events of a history stand so far behind later ones that, live, they might have come too late.

The order of the input stands for that of arrival, and nothing else is known of it. A replay puts events in order, so
this changes nothing that is judged. Counts only.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from seamwatch.documents import Estate

_LONG_AGO = -(2**62)


class Disorder:
    """Counts, by system, events that come more than the lateness of a contract after a later one of their type."""

    def __init__(self, estate: Estate, lateness: int) -> None:
        self._estate = estate
        self._lateness = lateness
        agreed = [contract.lateness for contract in estate.contracts if contract.lateness is not None]
        self._least = min([lateness, *agreed])
        self._newest: dict[str, int] = {}
        self.events: Counter[str] = Counter()
        """How many, by system."""

    def add(self, record_type: str, frame: pl.DataFrame) -> None:
        """Take note of events of one type (columns ``event_time`` in micros, ``system``), in the order of the input."""
        if frame.is_empty():
            return
        times = frame["event_time"]
        before = pl.Series([self._newest.get(record_type, _LONG_AGO)], dtype=pl.Int64)
        reached = pl.concat([before, times]).cum_max()
        self._newest[record_type] = int(reached[-1])
        behind = reached.head(len(times)) - times
        late = behind > self._least
        if not late.any():
            return
        rows = pl.DataFrame({"system": frame["system"], "at": times, "behind": behind}).filter(late)
        for (system,), group in rows.group_by(["system"]):
            allowed = self._allowed(str(system), int(group["at"][0]))
            number = int((group["behind"] > allowed).sum())
            if number:
                self.events[str(system)] += number

    def _allowed(self, system: str, at: int) -> int:
        contracts = self._estate.contracts_for(system, at)
        return min(self._lateness if c.lateness is None else c.lateness for c in contracts)
