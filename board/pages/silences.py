"""Silences: whose pages are held back, by whom, until when, why, and what opened meanwhile. Begins and lifts none."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.listing import listed, with_or_after
from board.page import Page, Signed
from sinks.store.questions.silences import silences

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
Over = Annotated[bool, Query(description="also those that are over")]


@router.get("/silences", response_class=HTMLResponse)
def page_of_silences(page: Signed, over: Over = False, at: Number = 1, whole: bool = False) -> HTMLResponse:
    """The page; the list comes with it where ``whole`` asks for that, and else by itself."""
    asked = {"over": int(over) or None, "page": at}
    given = with_or_after("/silences", lambda: _listed(page, over, at), whole=whole, **asked)
    return page.render("silences.html", {"over": over} | given)


@router.get("/parts/silences", response_class=HTMLResponse)
def part(page: Signed, over: Over = False, at: Number = 1) -> HTMLResponse:
    """The list alone."""
    return page.render("parts/silences_list.html", _listed(page, over, at))


def _listed(page: Page, over: bool, at: int) -> dict[str, object]:
    with page.store() as store:
        found = silences(store, over=over)
    return {"over": over, "shown": listed(found, at)}
