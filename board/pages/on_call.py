"""On call: the open episodes by whose clock runs out first, and taking them on. From the topics, without the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.context import Context
from board.listing import listed
from board.live.open_episodes import Clock, Followed, clock_of
from board.page import Page, Signed
from board.pages.rotas import now_of
from seamwatch.judging.model.facts import CLIMBING

router = APIRouter(include_in_schema=False)

Whose = Literal["mine", "all"]
Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Item:
    """An episode on the list, with what somebody who is woken needs."""

    followed: Followed
    clock: Clock
    runbook: str | None


@router.get("/", response_class=HTMLResponse)
def on_call(page: Signed, whose: Whose | None = None, number: Number = 1) -> HTMLResponse:
    """The whole page."""
    chosen: Whose = whose or ("mine" if page.viewer.person is not None else "all")
    return page.render("on_call.html", _shown(page, chosen, number) | now_of(page))


@router.get("/parts/on-call", response_class=HTMLResponse)
def part(page: Signed, whose: Whose = "all", number: Number = 1) -> HTMLResponse:
    """The list alone, for a page that is open."""
    return page.render("parts/on_call_list.html", _shown(page, whose, number))


def _shown(page: Page, whose: Whose, number: int) -> dict[str, object]:
    """What the list shows: a page of the items, and how many there are of either kind."""
    found = items(page)
    mine = [item for item in found if _is_mine(item, page.viewer.person)]
    feed = page.context.feed
    return {
        "whose": whose,
        "list": listed(mine if whose == "mine" else found, number),
        "asked": urlencode({"whose": whose}) + "&",
        "mine": len(mine),
        "all": len(found),
        "away_since": None if feed.away_since is None else round(feed.away_since * 1e6),
        "why_away": feed.why_away,
        "unread": feed.unread,
        "stopped": page.all_suspended(),
    }


def items(page: Page) -> list[Item]:
    """All open episodes: first those whose clock runs, the one that runs out first at the top; then the others."""
    found = [_item(followed, page.context) for followed in page.open_episodes()]
    return sorted(found, key=_urgency)


def _item(followed: Followed, context: Context) -> Item:
    system = context.estate.systems.get(followed.violation.system)
    return Item(followed, clock_of(followed, context.estate), None if system is None else system.runbook)


def _urgency(item: Item) -> tuple[bool, int, bool, int, str]:
    violation = item.followed.violation
    at = item.clock.at
    # Breaches that nobody took on before warnings and what is taken; the newest first among those without a clock.
    calm = violation.severity not in CLIMBING or violation.state == "acknowledged"
    return (at is None, at or 0, calm, -violation.opened_at, violation.violation_id)


def _is_mine(item: Item, person: str | None) -> bool:
    violation = item.followed.violation
    return person is not None and person in (violation.person, violation.acknowledged_by)
