"""Timers: which keys are to be asked again, by event time, by how far a backfill has got, or by the clock.

Queues of keys: one for each way in which event time gets on, and one for the clock. A key may stand in them more often
than it is due; whoever takes it looks again. What no key is due at any more is thrown out when a queue has doubled: a
deadline that every call moves on (the end of a conversation's memory) would otherwise stand there once for each call.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping

from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.watermarks import Watermarks

ROOM = 1_000
"""A queue is never looked through below so many."""


class _Queue:
    """Keys by time; ``current`` says whether a time still means anything to a key."""

    def __init__(self, current: Callable[[int, StateKey], bool]) -> None:
        self._current = current
        self._heap: list[tuple[int, StateKey]] = []
        self._room = ROOM

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: int, key: StateKey) -> None:
        heapq.heappush(self._heap, (when, key))
        if len(self._heap) > self._room:
            # A sorted list is a heap.
            self._heap = sorted({item for item in self._heap if self._current(*item)})
            self._room = ROOM + 2 * len(self._heap)

    def take(self, until: int) -> Iterator[StateKey]:
        """The keys up to a time."""
        while self._heap and self._heap[0][0] <= until:
            yield heapq.heappop(self._heap)[1]


class Timers:
    """When each of some keyed states is due."""

    def __init__(self, states: Mapping[StateKey, KeyedState], watermarks: Watermarks) -> None:
        self._states = states
        self._watermarks = watermarks
        self._deadlines = {
            (backfill, of_outcomes): _Queue(self._is_due) for backfill in (False, True) for of_outcomes in (False, True)
        }
        self._wakes = _Queue(lambda _when, key: key in states)

    def __len__(self) -> int:
        return len(self._wakes) + sum(map(len, self._deadlines.values()))

    def schedule(self, key: StateKey, before: KeyedState | None, state: KeyedState) -> None:
        """Note when the state is due; what is noted already is not noted twice, unless it was taken off."""
        due, wake = state.due_at, state.wake_at
        if due is not None:
            backfill, of_outcomes, when = state.backfill, state.of_outcomes, due + state.lateness
            if (
                before is None
                or before.due_at != due
                or before.lateness != state.lateness
                or before.backfill != backfill
                or before.of_outcomes != of_outcomes
                or when <= self._watermarks.reached(backfill=backfill, of_outcomes=of_outcomes)
            ):
                self._deadlines[backfill, of_outcomes].add(when, key)
                if backfill:
                    self.at(state.backfill_until, key)
        if wake is not None and (before is None or before.wake_at != wake or wake <= self._watermarks.now):
            self.at(wake, key)

    def at(self, when: int, key: StateKey) -> None:
        """Have the key looked at when the clock shows this time."""
        self._wakes.add(when, key)

    def take_due(self) -> list[StateKey]:
        """The keys whose time has come, in order; some of them may have no state by now."""
        due = set(self._wakes.take(self._watermarks.now))
        for (backfill, of_outcomes), deadlines in self._deadlines.items():
            due.update(deadlines.take(self._watermarks.reached(backfill=backfill, of_outcomes=of_outcomes)))
        return sorted(due)

    def _is_due(self, when: int, key: StateKey) -> bool:
        state = self._states.get(key)
        return state is not None and state.due_at is not None and state.due_at + state.lateness == when
