"""Slices: how many conversations, cohorts, versions of one clause and system have state at once.

Whoever sends a new trace or cohort with every event would otherwise fill the judge's memory. Beyond what the kind
keeps (`Clause.most_parts`) the tenth part is to be evicted whose last event is the oldest, by event time. Counts only;
`seamwatch.engine.eviction` evicts.
"""

from __future__ import annotations

import heapq

from seamwatch.engine.keyed_state import StateKey


class Slices:
    """The slices of each clause and system, with the event time of the last input of each."""

    def __init__(self) -> None:
        # By contract, clause and system: a key without its part.
        self._last: dict[tuple[str, str, str], dict[str, int]] = {}

    def received(self, key: StateKey, last: int) -> None:
        """The slice goes on. A clause's own parts (of all of a system together) do not count."""
        part = key.part
        if part and part[0] != "\x00":
            parts = self._last.get(key[:3])
            if parts is None:
                parts = self._last[key[:3]] = {}
            parts[part] = last

    def removed(self, key: StateKey) -> None:
        """The slice has no state any more."""
        parts = self._last.get(key[:3])
        if parts is not None and parts.pop(key.part, None) is not None and not parts:
            del self._last[key[:3]]

    def of(self, contract: str, clause: str, system: str) -> list[str]:
        """The slices that have state, in order."""
        return sorted(self._last.get((contract, clause, system), ()))

    def too_many(self, key: StateKey, most: int) -> list[StateKey]:
        """The slices to evict, of the same clause and system, when there are more than so many; mostly none."""
        parts = self._last.get(key[:3])
        if parts is None or len(parts) <= most:
            return []
        oldest = heapq.nsmallest(max(1, most // 10), ((last, part) for part, last in parts.items()))
        return [StateKey(key.contract, key.clause, key.system, part) for _, part in oldest]
