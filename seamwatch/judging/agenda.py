"""The agenda: which entries are to be asked again, by event time, by a history's own progress, or by the clock.

Queues of keys: one for each way in which event time gets on, and one for the clock. An entry may stand in them more
often than it is due; whoever takes it looks again. What no entry is due at any more is thrown out when a queue has
doubled: a deadline that every call moves on (the end of a conversation's memory) would otherwise stand there a call.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping

from seamwatch.judging.entries import Entry, EntryKey
from seamwatch.judging.stream_time import StreamTime

ROOM = 1_000
"""A queue is never looked through below so many."""


class _Queue:
    """Keys by time; ``current`` says whether a time still means anything to a key."""

    def __init__(self, current: Callable[[int, EntryKey], bool]) -> None:
        self._current = current
        self._heap: list[tuple[int, EntryKey]] = []
        self._room = ROOM

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: int, key: EntryKey) -> None:
        heapq.heappush(self._heap, (when, key))
        if len(self._heap) > self._room:
            # A sorted list is a heap.
            self._heap = sorted({item for item in self._heap if self._current(*item)})
            self._room = ROOM + 2 * len(self._heap)

    def take(self, until: int) -> Iterator[EntryKey]:
        """The keys up to a time."""
        while self._heap and self._heap[0][0] <= until:
            yield heapq.heappop(self._heap)[1]


class Agenda:
    """When each of the entries is due."""

    def __init__(self, entries: Mapping[EntryKey, Entry]) -> None:
        self._entries = entries
        self._deadlines = {
            (historic, of_outcomes): _Queue(self._is_due) for historic in (False, True) for of_outcomes in (False, True)
        }
        self._wakes = _Queue(lambda _when, key: key in entries)

    def __len__(self) -> int:
        return len(self._wakes) + sum(map(len, self._deadlines.values()))

    def schedule(self, key: EntryKey, before: Entry | None, entry: Entry, time: StreamTime) -> None:
        """Note when the entry is due; what is noted already is not noted twice, unless it was taken off."""
        due, wake = entry.due_at, entry.wake_at
        if due is not None:
            historic, of_outcomes, when = entry.historic, entry.of_outcomes, due + entry.lateness
            if (
                before is None
                or before.due_at != due
                or before.lateness != entry.lateness
                or before.historic != historic
                or before.of_outcomes != of_outcomes
                or when <= time.reached(historic=historic, of_outcomes=of_outcomes)
            ):
                self._deadlines[historic, of_outcomes].add(when, key)
                if historic:
                    self.at(entry.held_until, key)
        if wake is not None and (before is None or before.wake_at != wake or wake <= time.now):
            self.at(wake, key)

    def at(self, when: int, key: EntryKey) -> None:
        """Have the entry looked at when the clock shows this time."""
        self._wakes.add(when, key)

    def take_due(self, time: StreamTime) -> list[EntryKey]:
        """The keys whose time has come, in order."""
        due = set(self._wakes.take(time.now))
        for (historic, of_outcomes), deadlines in self._deadlines.items():
            due.update(deadlines.take(time.reached(historic=historic, of_outcomes=of_outcomes)))
        return sorted(due)

    def _is_due(self, when: int, key: EntryKey) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.due_at is not None and entry.due_at + entry.lateness == when
