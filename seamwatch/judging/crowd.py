"""The crowd: how many conversations, cohorts, versions of one clause and system are remembered at once.

Whoever sends a new trace or cohort with every event would otherwise fill the judge's memory. Beyond what the kind
remembers (`Clause.most_parts`) the tenth part is let go of whose last event is the oldest, by event time. Counts only;
the judge lets go.
"""

from __future__ import annotations

import heapq

from seamwatch.judging.entries import EntryKey


class Crowd:
    """The parts of each clause and system, with the event time of the last that was heard of them."""

    def __init__(self) -> None:
        # By contract, clause and system: a key without its part.
        self._last: dict[tuple[str, str, str], dict[str, int]] = {}

    def heard(self, key: EntryKey, last: int) -> None:
        """The part goes on. A clause's own parts (of all of a system together) do not count."""
        part = key.part
        if part and part[0] != "\x00":
            parts = self._last.get(key[:3])
            if parts is None:
                parts = self._last[key[:3]] = {}
            parts[part] = last

    def gone(self, key: EntryKey) -> None:
        """The part is remembered no longer."""
        parts = self._last.get(key[:3])
        if parts is not None and parts.pop(key.part, None) is not None and not parts:
            del self._last[key[:3]]

    def too_many(self, key: EntryKey, most: int) -> list[EntryKey]:
        """The parts to let go of, of the same clause and system, when there are more than so many; mostly none."""
        parts = self._last.get(key[:3])
        if parts is None or len(parts) <= most:
            return []
        oldest = heapq.nsmallest(max(1, most // 10), ((last, part) for part, last in parts.items()))
        return [EntryKey(key.contract, key.clause, key.system, part) for _, part in oldest]
