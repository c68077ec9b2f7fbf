"""Undeclared: how many systems that nobody declared and no contract covers have state at once.

Whoever sends a new system id with every event would otherwise fill the judge's memory. In one partition of measurements
all that holds without a contract is judged for `MOST_WATCHED` of them; for `MOST_NAMED` that they run unregistered; the
rest share one episode, that of the system `OTHERS`. There is room again when nothing was received of a system for a
day. Counts only; `seamwatch.engine.eviction` evicts.
"""

from __future__ import annotations

from typing import Final

from seamwatch.documents.defaults import DEFAULTS
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.keyed_state import StateKey
from seamwatch.judging.model.seam import OTHERS

MOST_WATCHED: Final = 1_000
MOST_NAMED: Final = 10_000
_NAMING: Final = "approval"


class Undeclared:
    """The undeclared systems of one partition that have state, each with its keys and their last event times."""

    def __init__(self) -> None:
        self._watched: dict[str, dict[StateKey, int]] = {}
        self._named: dict[str, dict[StateKey, int]] = {}
        self._looked = -(2**62)

    def has_room(self, kind: str, system: str) -> bool:
        """Whether a clause of this kind may keep state of an undeclared system."""
        systems = self._systems(kind)
        most = MOST_NAMED if kind == _NAMING else MOST_WATCHED
        return system in systems or system == OTHERS or len(systems) < most

    def received(self, key: StateKey, kind: str, last: int) -> None:
        """The state of an undeclared system goes on; that of others does not count here."""
        if key.contract == DEFAULTS and key.system != OTHERS:
            self._systems(kind).setdefault(key.system, {})[key] = last

    def removed(self, key: StateKey) -> None:
        """The key has no state any more."""
        for systems in (self._watched, self._named):
            keys = systems.get(key.system)
            if keys is not None and keys.pop(key, None) is not None and not keys:
                del systems[key.system]

    def silent(self, at: int) -> list[StateKey]:
        """The keys of watched systems silent for a day by event time ``at``; looked for once an hour at most."""
        if at < self._looked + HOUR:
            return []
        self._looked = at
        silent = (keys for keys in self._watched.values() if max(keys.values()) < at - DAY)
        return sorted(key for keys in silent for key in keys)

    def _systems(self, kind: str) -> dict[str, dict[StateKey, int]]:
        return self._named if kind == _NAMING else self._watched
