"""The course of a contract over event time, as it binds one system: which version is in force when, and when none is.

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
"""How many courses are kept ready; what is forgotten is made again."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Event times [start, end) in which one version of the contract binds the system; None: no version does."""

    start: int
    end: int
    version: str | None
    lateness: int | None = None


class Courses:
    """The courses of an estate's contracts."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str, str], tuple[Stretch, ...]] = {}

    def of(self, contract: str, system: str) -> tuple[Stretch, ...]:
        """The stretches of a contract, in order, without a gap, over all of event time."""
        known = self._known.get((contract, system))
        if known is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[contract, system] = tuple(_course(self._estate, contract, system))
        return known

    def at(self, contract: str, system: str, time: int) -> Stretch:
        """The stretch that an event time lies in."""
        course = self.of(contract, system)
        if len(course) == 1:
            return course[0]
        return course[bisect_right(course, time, key=_start) - 1]

    def by(self, contract: str, system: str, version: str | None) -> Stretch | None:
        """The first stretch of a version (None: of none); None when there is no such stretch."""
        return next((stretch for stretch in self.of(contract, system) if stretch.version == version), None)


def _course(estate: Estate, contract: str, system: str) -> Iterator[Stretch]:
    last: Stretch | None = None
    for start, end in pairwise([BEGINNING, *estate.changes_for(system), END]):
        known = next((c for c in estate.contracts_for(system, start) if c.id == contract), None)
        version, lateness = (None, None) if known is None else (known.version, known.lateness)
        if last is not None and last.version == version:
            last = Stretch(last.start, end, version, lateness)
            continue
        if last is not None:
            yield last
        last = Stretch(start, end, version, lateness)
    assert last is not None
    yield last


def _start(stretch: Stretch) -> int:
    return stretch.start
