"""The agenda: which entries are to be asked again, by event time, by a history's own progress, or by the clock.

Queues of keys: one for each way in which event time gets on, and one for the clock. An entry may stand in them more
often than it is due; whoever takes it looks again.
"""

from __future__ import annotations

import heapq

from seamwatch.judging.entries import Entry, EntryKey
from seamwatch.judging.stream_time import StreamTime


class Agenda:
    """When each entry is due."""

    def __init__(self) -> None:
        self._deadlines: dict[tuple[bool, bool], list[tuple[int, EntryKey]]] = {
            (historic, of_outcomes): [] for historic in (False, True) for of_outcomes in (False, True)
        }
        self._wakes: list[tuple[int, EntryKey]] = []

    def schedule(self, key: EntryKey, before: Entry | None, entry: Entry, time: StreamTime) -> None:
        """Note when the entry is due; what is noted already is not noted twice, unless it was taken off."""
        due, wake = entry.due_at, entry.wake_at
        clock = (entry.historic, entry.of_outcomes)
        reached = time.reached(historic=entry.historic, of_outcomes=entry.of_outcomes)
        noted = before is not None and _noted(before) == _noted(entry)
        if due is not None and (not noted or due + entry.lateness <= reached):
            heapq.heappush(self._deadlines[clock], (due + entry.lateness, key))
            if entry.historic:
                self.at(entry.held_until, key)
        if wake is not None and (before is None or before.wake_at != wake or wake <= time.now):
            self.at(wake, key)

    def at(self, when: int, key: EntryKey) -> None:
        """Have the entry looked at when the clock shows this time."""
        heapq.heappush(self._wakes, (when, key))

    def take_due(self, time: StreamTime) -> list[EntryKey]:
        """The keys whose time has come, in order."""
        due: set[EntryKey] = set()
        queues = [(self._wakes, time.now)]
        for (historic, of_outcomes), deadlines in self._deadlines.items():
            reached = time.reached(historic=historic, of_outcomes=of_outcomes)
            queues.append((deadlines, reached))
        for queue, until in queues:
            while queue and queue[0][0] <= until:
                due.add(heapq.heappop(queue)[1])
        return sorted(due)


def _noted(entry: Entry) -> tuple[int | None, int, bool, bool]:
    return entry.due_at, entry.lateness, entry.historic, entry.of_outcomes
