"""Summing: what a scheduled summary comes to on one page: what held, what broke, what is owed, what was not judged.

Asked of the store with the rights of who looks. Of what is personal it shows nothing to who may not see that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from board.page import Page
from board.plots.spark import spark
from seamwatch.clauses.assertion import Assertion
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.summed import Broken, Owes, by_urgency
from sinks.store.client import Store
from sinks.store.questions.broken import Stretch, broke
from sinks.store.questions.broken import stretch_of as stretch
from sinks.store.questions.owing import Asking, owing
from sinks.store.questions.periods import Period, periods
from sinks.store.questions.summaries import Summary

TREND: Final = 8
SHOWN: Final = 6
_PERSONAL: Final = frozenset({"attributes", "arguments"})


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
class Unjudged:
    """Of how many events a clause could not tell something, and why."""

    clause: str
    events: int
    why: str


def stretch_of(page: Page, summary: Summary) -> Stretch:
    """The period that a summary is about."""
    return stretch(page.context.estate, summary.contract, summary.clause, summary.system, summary.ended_at)


def held(page: Page, store: Store, summary: Summary, stretch: Stretch) -> list[Held]:
    """Every assertion over the system in the period, those that did not hold first."""
    found = [_held(page, store, bound, stretch) for bound in _assertions(page, summary.system, stretch.until)]
    return sorted(found, key=lambda one: (_holds(one), one.contract, one.clause))


def broken(store: Store, summary: Summary, stretch: Stretch) -> Broken:
    """What broke in the period, or was broken still."""
    return broke(store, summary.system, stretch.since, stretch.until, SHOWN)


def owed(page: Page, store: Store, summary: Summary) -> list[Owes]:
    """What is owed about the system now, what is due first before the rest."""
    return by_urgency(owing(Asking(store, page.context.estate, summary.system, page.now)), page.now)


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
