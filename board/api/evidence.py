"""Evidence about systems by the API: readiness, tiers of the risk policy, what could not be judged, and cards."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from board import evidence
from board.api.access import Reader
from board.api.models import READY, TIERED, UNJUDGED, listing, without_nan
from board.api.paging import Limit, Name, Offset, Since, moment, page_of_list
from board.api.problems import documented
from board.page import Page
from seamwatch.durations import DAY
from sinks.store.questions.cards import Card
from sinks.store.questions.names import demand_known
from sinks.store.questions.rows import records

router = APIRouter(tags=["evidence"], responses=documented(404))


@router.get("/readiness", response_model=listing(READY))
def ready(request: Request, page: Reader, system: Name = None, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Ten questions about each system, each yes, no or not known, with the evidence and the remedy."""
    _demand(page, system)
    return page_of_list(request, records(evidence.readiness_of(page, system)), limit, offset)


@router.get("/tiers", response_model=listing(TIERED))
def tiered(request: Request, page: Reader, limit: Limit = 100, offset: Offset = 0) -> Any:
    """How each system stands that is to have a tier of the risk policy, and what it is short of."""
    return page_of_list(request, records(evidence.tiers_of(page)), limit, offset)


@router.get("/unjudged", response_model=listing(UNJUDGED))
def unjudged(
    request: Request, page: Reader, system: Name = None, since: Since = None, limit: Limit = 100, offset: Offset = 0
) -> Any:
    """What could not be judged and why, by clause, of the last seven days where ``since`` names no other time."""
    _demand(page, system)
    begin = moment("since", since, page.now)
    found = evidence.unjudged_of(page, page.now - 7 * DAY if begin is None else begin, system)
    return page_of_list(request, records(found), limit, offset)


@router.get("/systems/{system:path}/card", response_model=Card)
def card(page: Reader, system: Annotated[str, Path(max_length=512, description="the id of a system")]) -> Any:
    """Its card as of now, as `seamwatch card --form json` writes it."""
    _demand(page, system)
    return without_nan(evidence.card_of(page, system).model_dump(mode="json"))


def _demand(page: Page, system: str | None) -> None:
    """Raises UnknownNameError for a system that is neither declared nor on record."""
    if system is not None and system not in page.context.estate.systems:
        with page.store() as store:
            demand_known(store, system=system)
