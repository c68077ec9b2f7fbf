"""Evidence about systems, as pages and the API ask for it: of what may be shown to who looks.

It reads the store through the page's rights, and makes no page.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sinks.store.questions import cards, unjudged
from sinks.store.questions.inventory import inventory
from sinks.store.questions.readiness import readiness
from sinks.store.questions.tiers import tiers
from sinks.store.questions.unjudged import Period

if TYPE_CHECKING:
    from board.page import Page
    from sinks.store.questions.readiness import Answer
    from sinks.store.questions.tiers import Tiered
    from sinks.store.questions.unjudged import Looked


def readiness_of(page: Page, system: str | None = None) -> list[Answer]:
    """The answers about one system, or about all that are declared or were seen; none about one that is neither."""
    estate = page.context.estate
    with page.store() as store:
        shown = _of_team(page, {*estate.systems, *(one.system for one in inventory(store))})
        names = [name for name in sorted(shown) if system in (None, name)]
        return readiness(store, estate, page.now, names, page.hidden) if names else []


def tiers_of(page: Page) -> list[Tiered]:
    """How each system stands that is to have a tier of the risk policy."""
    with page.store() as store:
        found = tiers(store, page.now, page.context.estate)
    shown = _of_team(page, {one.system for one in found})
    return [one for one in found if one.system in shown]


def unjudged_of(page: Page, since: int, system: str | None = None) -> list[Looked]:
    """What could not be judged since then (micros), and why; of one system, or of all with what is of none."""
    estate = page.context.estate
    shown: Collection[str] | None = None if page.team is None else _of_team(page, estate.systems)
    if system is not None:
        shown = [system] if shown is None or system in shown else []
    with page.store() as store:
        found = unjudged.looked(store, estate, Period(since, page.now), shown, everything=page.everything)
    return unjudged.not_judged(found)


def card_of(page: Page, system: str) -> cards.Card:
    """The card of a system as of now."""
    period = Period(page.now - cards.PERIOD, page.now)
    with page.store() as store:
        return cards.card(
            store, page.context.estate, system, period, page.now + cards.GOOD_FOR, everything=page.everything
        )


def _of_team(page: Page, names: Collection[str]) -> Collection[str]:
    """Those of the systems that may be shown: of a team, those that are declared to be its own."""
    if page.team is None:
        return names
    declared = page.context.estate.systems
    return {name for name in names if name in declared and declared[name].team == page.team}
