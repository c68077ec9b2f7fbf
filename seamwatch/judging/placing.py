"""Placing: by which version of its contract an entry is judged, until when, and what takes over then.

Looks up what the documents say; judges nothing and keeps nothing of an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seamwatch.documents import Estate
from seamwatch.judging.changeover import begins_anew, why_over
from seamwatch.judging.course import Courses
from seamwatch.judging.entries import Entry, EntryKey
from seamwatch.judging.following import Finder
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.judging.stream_time import LONG_AGO
from seamwatch.judging.unjudged import kind_of

WITHDRAWN = "the clause was withdrawn from the contract"


@dataclass(frozen=True, slots=True)
class Successor:
    """What takes over from an entry's version.

    - ``at``: the time of the change; ``start`` and ``end`` of the stretch of event time that follows.
    - ``bound``: the clause by its version; None where that has none, or nothing of the contract is in force.
    - ``why``: why the episodes that are open end with the change; None when they go on.
    """

    version: str
    at: int
    start: int
    end: int
    bound: BoundClause | None
    why: str | None


class Placing:
    """Where the entries of an estate's clauses stand among the versions. ``lateness``: where none is agreed (micros).

    ``agreed``: whether a contract's own lateness counts.
    """

    def __init__(self, estate: Estate, seams: Seams, lateness: int, *, agreed: bool) -> None:
        self._seams = seams
        self._courses = Courses(estate)
        self._lateness = lateness
        self._agreed = agreed

    def bound(self, key: EntryKey, version: str) -> BoundClause | None:
        """The clause of a version as it binds the entry's system."""
        return self._seams.bound(key.contract, version, key.clause, key.system)

    def placed(self, key: EntryKey, entry: Entry) -> Entry:
        """The entry with what the documents say of its version: until when it is in force, and its lateness."""
        version = entry.version or None
        stretch = self._courses.at(key.contract, key.system, entry.last)
        if stretch.version != version:
            found = self._courses.by(key.contract, key.system, version)
            if found is None:
                # It was withdrawn: the version in force where the clock stands takes over at once.
                return entry.placed(LONG_AGO, self._lateness)
            stretch = found
        lateness = stretch.lateness if self._agreed and stretch.lateness is not None else self._lateness
        return entry.placed(stretch.end, lateness)

    def begun(self, key: EntryKey, entry: Entry, at: int, reached: Callable[[], int]) -> Entry:
        """A new entry, which heard of event time ``at`` first, placed.

        It is judged by the version that is in force where its clock stands (``reached``), if that has the clause:
        what belongs to that version may still be on its way.
        """
        course = self._courses.of(key.contract, key.system)
        if len(course) > 1:
            clock = min(at, reached())
            for stretch in course:
                if stretch.end <= clock or stretch.version is None:
                    continue
                if stretch.start > at or stretch.version == entry.version:
                    break
                former = self.bound(key, stretch.version)
                if former is not None:
                    entry = entry._replace(kind=kind_of(former.clause, key.part), version=stretch.version)
                    break
        return self.placed(key, entry)

    def finder(self, bound: BoundClause) -> Finder:
        """Who finds something by that clause: since when its version is in force, and which versions it precedes."""
        seam = bound.seam
        own = self._courses.by(seam.contract, seam.system, seam.contract_version)
        since = LONG_AGO if own is None else own.start

        def precedes(version: str) -> bool:
            other = self._courses.by(seam.contract, seam.system, version)
            return other is not None and since < other.start

        return Finder(bound, since, precedes)

    def successor(self, key: EntryKey, entry: Entry, clock: int, now: int) -> Successor:
        """What takes over from the entry's version: at its end, or at once (``now``) where it was withdrawn."""
        withdrawn = entry.until == LONG_AGO
        at = now if withdrawn else entry.until
        stretch = self._courses.at(key.contract, key.system, clock if withdrawn else at)
        before, after = self.bound(key, entry.version), self.bound(key, stretch.version or "")
        otherwise = after is not None and (
            entry.kind != kind_of(after.clause, key.part)
            or (before is not None and begins_anew(before, after, key.part))
        )
        why = None
        if after is None and withdrawn:
            why = WITHDRAWN
        elif after is None or otherwise:
            why = why_over(key.system, key.clause, key.contract, stretch.version, at, measured_otherwise=otherwise)
        return Successor(stretch.version or "", at, stretch.start, stretch.end, after, why)
