"""What has been seen, held against what is expected. Pure: fed by `watcher`, read by `table` and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from console.demo.stories import Expected, Story
from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.paging import DELIVERED

RANK: Final = {"open": 0, "escalated": 1, "acknowledged": 2, "resolved": 3}


@dataclass(frozen=True, slots=True)
class Page:
    """One delivery to a person, at a time of the history (micros)."""

    violation_id: str
    step: int
    person: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A violation as seen: its first and latest state, when it was first seen (event time, micros), who was paged."""

    first: Violation
    latest: Violation
    seen_at: int
    pages: tuple[Page, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str | None, str]:
        """What it has in common with the expectation it meets. A drill's slice is its id, which nobody knows before."""
        v = self.first
        return (v.contract, v.clause, v.system, None if v.severity == DRILL else v.slice, v.severity)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An expectation, the violation that met it if any has, and what is still missing ("" when nothing is)."""

    expected: Expected
    sighting: Sighting | None
    missing: str

    @property
    def took(self) -> int | None:
        """How long it took (micros of its time), from the event, or when a clock ran out, to the sighting.

        A drill counts from its beginning. None while it is unseen.
        """
        if self.sighting is None:
            return None
        due = self.sighting.first.opened_at if self.expected.severity == DRILL else self.expected.due
        return max(0, self.sighting.seen_at - due)

    def wall_seconds(self, rate: float) -> float | None:
        """The same on the wall; ``rate``: how many times as fast the history passed. A drill is held in true time."""
        return None if self.took is None else self.took / SECOND / (1 if self.expected.severity == DRILL else rate)


@dataclass(slots=True)
class Sightings:
    """Everything seen so far. One thread writes, others read what the methods return."""

    _seen: dict[str, Sighting] = field(default_factory=dict)
    _pages: dict[str, tuple[Page, ...]] = field(default_factory=dict)

    def see(self, violation: Violation, now: int) -> bool:
        """Take note of a state of a violation; True when the violation is new."""
        seen = self._seen.get(violation.violation_id)
        if seen is None:
            pages = self._pages.get(violation.violation_id, ())
            self._seen[violation.violation_id] = Sighting(violation, violation, now, pages)
            return True
        self._seen[violation.violation_id] = Sighting(seen.first, violation, seen.seen_at, seen.pages)
        return False

    def see_page(self, page: Page, result: str) -> bool:
        """Take note of a delivery; False when it failed or is known."""
        pages = self._pages.get(page.violation_id, ())
        if result != DELIVERED or any((p.step, p.person) == (page.step, page.person) for p in pages):
            return False
        self._pages[page.violation_id] = (*pages, page)
        seen = self._seen.get(page.violation_id)
        if seen is not None:
            self._seen[page.violation_id] = Sighting(seen.first, seen.latest, seen.seen_at, (*pages, page))
        return True

    def all(self) -> list[Sighting]:
        """Every violation seen, in the order of their opening."""
        return sorted(self._seen.values(), key=lambda s: (s.first.opened_at, s.first.violation_id))

    def of(self, violation_id: str) -> Sighting | None:
        """The violation with that id."""
        return self._seen.get(violation_id)


def verdicts(stories: Iterable[Story], seen: Sequence[Sighting]) -> list[Verdict]:
    """For each expectation, in order, whether it has been met."""
    found = []
    for story in stories:
        for expected in story.expected:
            matches = [s for s in seen if s.key == expected.key]
            found.append(Verdict(expected, matches[0] if matches else None, _missing(expected, matches)))
    return found


def unexpected(stories: Iterable[Story], seen: Sequence[Sighting]) -> list[Sighting]:
    """What nobody expected."""
    keys = {expected.key for story in stories for expected in story.expected}
    return [s for s in seen if s.key not in keys]


def _missing(expected: Expected, matches: Sequence[Sighting]) -> str:
    if not matches:
        return "not seen"
    if len(matches) > 1:
        return f"seen {len(matches)} times"
    sighting = matches[0]
    if sighting.first.person != expected.person:
        return f"person is {sighting.first.person}"
    paged = {page.person for page in sighting.pages}
    if expected.person is not None and expected.person not in paged:
        return "nobody paged"
    if expected.climbs_to is not None and expected.climbs_to not in paged:
        return f"{expected.climbs_to} not paged"
    if expected.resolves and sighting.latest.state != "resolved":
        return "not over"
    return ""
