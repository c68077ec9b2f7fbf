"""Summing: what a scheduled summary comes to on one page: what held, what broke, what is owed, what was not judged.

Asked of the store with the rights of who looks. Of what is personal it shows nothing to who may not see that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from board.page import Page
from board.plots.spark import spark
from seamwatch.clauses.assertion import Assertion
from seamwatch.clauses.clause import Clause
from seamwatch.durations import DAY
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.judging.model.facts import Violation
from sinks.store.client import Store
from sinks.store.questions.due import Due, due
from sinks.store.questions.episodes import broke
from sinks.store.questions.followups import followups
from sinks.store.questions.followups import standing as followed
from sinks.store.questions.incidents import incidents
from sinks.store.questions.incidents import standing as reported
from sinks.store.questions.inventory import inventory
from sinks.store.questions.periods import Period, periods
from sinks.store.questions.reviews import reviews
from sinks.store.questions.summaries import Summary

TREND: Final = 8
SHOWN: Final = 6
_PERSONAL: Final = frozenset({"attributes", "arguments"})
_WITHOUT_CLAUSE: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is summed up; ``agreed`` is False where the clause is gone, and a week is shown."""

    since: int
    until: int
    agreed: bool

    @property
    def every(self) -> int:
        """How long it is."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Held:
    """An assertion in the period: its last periods, the one that is summed up last; ``hidden``: not for who looks."""

    contract: str
    clause: str
    must: str
    at_least: float
    trend: Sequence[Period] = ()
    hidden: bool = False

    @property
    def now(self) -> Period | None:
        """The period that is summed up."""
        return self.trend[-1] if self.trend else None

    @property
    def before(self) -> float | None:
        """The share of the period before, where it had events."""
        return self.trend[-2].share if len(self.trend) > 1 else None

    @property
    def change(self) -> str:
        """Which way it went, in a word."""
        share = None if self.now is None else self.now.share
        if share is None or self.before is None:
            return ""
        return "as before" if share == self.before else "better" if share > self.before else "worse"

    @property
    def spark(self) -> Markup:
        """Its trend, drawn."""
        return spark([one.share for one in self.trend], self.at_least)


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody owes: who, what, how it stands, and where it is done."""

    person: str
    what: str
    stands: str
    due_at: int | None
    link: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The episodes of the period: how many there were by clause, and the latest of them."""

    number: int
    breaches: int
    going_on: int
    by_clause: Sequence[tuple[str, int]]
    latest: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Of how many events a clause could not tell something, and why."""

    clause: str
    events: int
    why: str


def stretch_of(page: Page, summary: Summary) -> Stretch:
    """The period that a summary is about."""
    clause = _clause(page, summary)
    agreed = getattr(getattr(clause, "summary", None), "every", None)
    every = agreed if isinstance(agreed, int) else _WITHOUT_CLAUSE
    return Stretch(summary.ended_at - every, summary.ended_at, isinstance(agreed, int))


def held(page: Page, store: Store, summary: Summary, stretch: Stretch) -> list[Held]:
    """Every assertion over the system in the period, those that did not hold first."""
    found = [_held(page, store, bound, stretch) for bound in _assertions(page, summary.system, stretch.until)]
    return sorted(found, key=lambda one: (_holds(one), one.contract, one.clause))


def broken(store: Store, summary: Summary, stretch: Stretch) -> Broken:
    """What broke in the period, or was broken still."""
    found = broke(store, summary.system, stretch.since, stretch.until)
    by_clause = Counter(one.clause for one in found).most_common()
    breaches = sum(one.severity == "breach" for one in found)
    going_on = sum(one.resolved_at is None for one in found)
    ranked = sorted(found, key=lambda one: (one.severity != "breach", one.resolved_at is not None, -one.opened_at))
    return Broken(len(found), breaches, going_on, by_clause, ranked[:SHOWN])


def owed(page: Page, store: Store, summary: Summary) -> list[Owed]:
    """What is owed about the system now, what is due first before the rest."""
    found = [*_incidents(page, store, summary), *_follow_ups(page, store, summary), *_reviews(page, store, summary)]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or 0))


def unjudged(assertions: Sequence[Held]) -> list[Unjudged]:
    """Of what the assertions could not tell anything in the period, the most first."""
    found: list[Unjudged] = []
    for one in assertions:
        if one.now is None:
            continue
        if one.now.untold:
            why = "they do not give what it asks for, and count as not holding"
            found.append(Unjudged(one.clause, one.now.untold, why))
        if one.now.unselected:
            why = "it cannot be told whether it is about them, and they are left out"
            found.append(Unjudged(one.clause, one.now.unselected, why))
        if not one.now.events:
            found.append(Unjudged(one.clause, 0, "there was nothing to judge: that it held is not known"))
    return sorted(found, key=lambda each: (-each.events, each.clause))


def _clause(page: Page, summary: Summary) -> Clause | None:
    contracts = page.context.estate.contracts_for(summary.system, summary.ended_at - 1)
    clauses = (clause for contract in contracts if contract.id == summary.contract for clause in contract.clauses)
    return next((clause for clause in clauses if clause.id == summary.clause), None)


def _assertions(page: Page, system: str, until: int) -> Iterator[BoundClause]:
    estate = page.context.estate
    seams = Seams(estate, None)
    for contract in estate.contracts_for(system, until - 1):
        for bound in seams.covering(contract, system).values():
            if isinstance(bound.clause, Assertion):
                yield bound


def _held(page: Page, store: Store, bound: BoundClause, stretch: Stretch) -> Held:
    clause, seam = bound.clause, bound.seam
    assert isinstance(clause, Assertion)
    select = clause.measures(seam)[0].select
    read = clause.must.columns | (frozenset() if select is None else select.columns)
    said = (seam.contract, clause.id, str(clause.must), clause.at_least)
    if not page.everything and _PERSONAL & frozenset(read):
        return Held(*said, hidden=True)
    on, every = clause.on, stretch.every
    return Held(*said, periods(store, seam.system, on, clause.must, select, every, stretch.until, TREND))


def _holds(one: Held) -> tuple[bool, float]:
    share = None if one.now is None else one.now.share
    return share is None or share >= one.at_least, 1.0 if share is None else share


def _incidents(page: Page, store: Store, summary: Summary) -> Iterator[Owed]:
    for one in incidents(store, system=summary.system):
        link = f"/episodes/{one.violation_id}"
        yield Owed(one.person, f"{one.owes} of an incident ({one.kind})", reported(one, page.now), one.due_at, link)


def _follow_ups(page: Page, store: Store, summary: Summary) -> Iterator[Owed]:
    for one in followups(store, system=summary.system):
        link = f"/episodes/{one.violation_id}"
        what = f"action: {one.text}" if one.what == "action" else f"review: {one.text}"
        yield Owed(one.person, what, followed(one, page.now), one.due_at, link)


def _reviews(page: Page, store: Store, summary: Summary) -> Iterator[Owed]:
    first_seen = {one.system: one.first_seen for one in inventory(store) if one.system == summary.system}
    for one in due(page.context.estate, reviews(store, summary.system), first_seen, page.now):
        if one.system == summary.system and one.due_at is not None and one.due_at <= page.now + _soon(one):
            stands = "overdue" if one.due_at <= page.now else "due"
            who = ", ".join(one.by) or "nobody named"
            yield Owed(who, f"scheduled review of the {one.of}", stands, one.due_at, "/compliance")


def _soon(one: Due) -> int:
    """So long before it is due a review is told."""
    return min(one.every // 10, 7 * DAY)
