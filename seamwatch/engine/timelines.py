"""The timeline of a contract, as it binds one system: which version is in force when, and when none is.

Looks up and remembers for as long as the estate stays the same; judges nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from seamwatch.documents import Estate
from seamwatch.documents.estate import BEGINNING, END

KEPT = 20_000
"""How many timelines are kept ready; what is forgotten is made again."""


@dataclass(frozen=True, slots=True)
class Period:
    """Event times [start, end) in which one version of the contract binds the system; None: no version does."""

    start: int
    end: int
    version: str | None
    lateness: int | None = None


class Timelines:
    """The timelines of an estate's contracts."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str, str], tuple[Period, ...]] = {}

    def of(self, contract: str, system: str) -> tuple[Period, ...]:
        """The periods of a contract, in order, without a gap, over all of event time."""
        known = self._known.get((contract, system))
        if known is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[contract, system] = tuple(_timeline(self._estate, contract, system))
        return known

    def at(self, contract: str, system: str, time: int) -> Period:
        """The period that an event time lies in."""
        timeline = self.of(contract, system)
        if len(timeline) == 1:
            return timeline[0]
        return timeline[bisect_right(timeline, time, key=_start) - 1]

    def by(self, contract: str, system: str, version: str | None) -> Period | None:
        """The first period of a version (None: of none); None when there is no such period."""
        return next((period for period in self.of(contract, system) if period.version == version), None)


def _timeline(estate: Estate, contract: str, system: str) -> Iterator[Period]:
    last: Period | None = None
    for start, end in pairwise([BEGINNING, *estate.changes_for(system), END]):
        known = next((c for c in estate.held_by(system, start) if c.id == contract), None)
        version, lateness = (None, None) if known is None else (known.version, known.lateness)
        if last is not None and last.version == version:
            last = Period(last.start, end, version, lateness)
            continue
        if last is not None:
            yield last
        last = Period(start, end, version, lateness)
    assert last is not None
    yield last


def _start(period: Period) -> int:
    return period.start
