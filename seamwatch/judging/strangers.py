"""Strangers: how much is remembered of systems that nobody declared and no contract covers.

Whoever sends a new system id with every event would otherwise fill the judge's memory. In one partition of measurements
all that holds without a contract is judged for `MOST_WATCHED` of them; for `MOST_NAMED` that they run unregistered; the
rest share one episode, that of the system `OTHERS`. A place is free again when its system has not been heard of for a
day. Counts only; the judge asks and lets go.
"""

from __future__ import annotations

from typing import Final

from seamwatch.documents.defaults import DEFAULTS
from seamwatch.durations import DAY, HOUR
from seamwatch.judging.entries import EntryKey
from seamwatch.judging.seam import OTHERS

MOST_WATCHED: Final = 1_000
MOST_NAMED: Final = 10_000
_NAMING: Final = "approval"


class Strangers:
    """The strangers of one partition that have a place, each with its entries and the last event time heard of."""

    def __init__(self) -> None:
        self._watched: dict[str, dict[EntryKey, int]] = {}
        self._named: dict[str, dict[EntryKey, int]] = {}
        self._looked = -(2**62)

    def has_room(self, kind: str, system: str) -> bool:
        """Whether a clause of this kind may remember something of a stranger."""
        places = self._places(kind)
        most = MOST_NAMED if kind == _NAMING else MOST_WATCHED
        return system in places or system == OTHERS or len(places) < most

    def heard(self, key: EntryKey, kind: str, last: int) -> None:
        """An entry of a stranger goes on; of others nothing is to be said here."""
        if key.contract == DEFAULTS and key.system != OTHERS:
            self._places(kind).setdefault(key.system, {})[key] = last

    def gone(self, key: EntryKey) -> None:
        """The entry is remembered no longer."""
        for places in (self._watched, self._named):
            entries = places.get(key.system)
            if entries is not None and entries.pop(key, None) is not None and not entries:
                del places[key.system]

    def silent(self, at: int) -> list[EntryKey]:
        """The entries of watched strangers silent for a day by event time ``at``; looked for once an hour at most."""
        if at < self._looked + HOUR:
            return []
        self._looked = at
        silent = (entries for entries in self._watched.values() if max(entries.values()) < at - DAY)
        return sorted(key for entries in silent for key in entries)

    def _places(self, kind: str) -> dict[str, dict[EntryKey, int]]:
        return self._named if kind == _NAMING else self._watched
