"""The state store: the keyed state of one partition, found by key and by the id of an open episode.

Keeps the timers in step with what it holds, and knows which states are dirty and of which there are too many. It judges
nothing, and evicts nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.slices import Slices
from seamwatch.engine.state_codec import write_state
from seamwatch.engine.timers import Timers
from seamwatch.engine.undeclared import Undeclared
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import Violation


class StateStore:
    """The keyed state of one partition of measurements, with its ``timers``."""

    def __init__(self, watermarks: Watermarks, is_undeclared: Callable[[StateKey], bool], *, saved: bool) -> None:
        """``saved``: whether it goes to a state topic; a replay's is written nowhere, and must not pile up dirty."""
        self._is_undeclared = is_undeclared
        self._saved = saved
        self._states: dict[StateKey, KeyedState] = {}
        self._of_violations: dict[str, StateKey] = {}
        self._dirty: set[StateKey] = set()
        self._slices = Slices()
        self.timers = Timers(self._states, watermarks)
        self.undeclared = Undeclared()

    def __contains__(self, key: StateKey) -> bool:
        return key in self._states

    def __getitem__(self, key: StateKey) -> KeyedState:
        return self._states[key]

    def get(self, key: StateKey) -> KeyedState | None:
        """The state of that key, if there is one."""
        return self._states.get(key)

    def items(self) -> list[tuple[StateKey, KeyedState]]:
        """All states as they are now, in the order in which they were begun."""
        return list(self._states.items())

    def violations(self) -> Iterator[Violation]:
        """The latest state of every open episode."""
        for state in self._states.values():
            for episode in state.episodes:
                yield episode.violation

    def of_violation(self, violation_id: str) -> StateKey | None:
        """The key with the open episode of that id."""
        return self._of_violations.get(violation_id)

    def put(self, key: StateKey, state: KeyedState) -> None:
        """Keep the state as it is now; an empty one is forgotten."""
        before = self._states.get(key)
        if before is not None and before.episodes:
            for episode in before.episodes:
                self._of_violations.pop(episode.violation.violation_id, None)
        if self._saved:
            self._dirty.add(key)
        if state.of_clause is None and state.empty:
            self._states.pop(key, None)
            self._slices.removed(key)
            self.undeclared.removed(key)
            return
        self._states[key] = state
        self._slices.received(key, state.last)
        if self._is_undeclared(key):
            self.undeclared.received(key, state.kind, state.last)
        for episode in state.episodes:
            self._of_violations[episode.violation.violation_id] = key
        self.timers.schedule(key, before, state)

    def restore(self, key: StateKey, state: KeyedState) -> None:
        """Keep a state that is saved already."""
        self.put(key, state)
        self._dirty.discard(key)

    def replace_terms(self, key: StateKey, state: KeyedState) -> None:
        """Keep the state with other terms of its version, which come from the documents and are not saved."""
        before, self._states[key] = self._states[key], state
        self.timers.schedule(key, before, state)

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic; None deletes."""
        dirty: dict[str, bytes | None] = {}
        for key in sorted(self._dirty):
            state = self._states.get(key)
            dirty[key.text()] = None if state is None else write_state(state)
        self._dirty.clear()
        return dirty

    def slices(self, contract: str, clause: str, system: str) -> list[str]:
        """The slices of a clause and system that have state, in order."""
        return self._slices.of(contract, clause, system)

    def too_many(self, key: StateKey, most: int) -> list[StateKey]:
        """Which to evict, of the same clause and system, when more than so many slices have state."""
        return self._slices.too_many(key, most)
