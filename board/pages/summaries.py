"""A summary: what a reviewer reads in a minute, and where they confirm it. Nothing changes by looking."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from board import summing
from board.page import Signed
from seamwatch.summed import standing_of
from sinks.store.questions.acknowledgements import asked_of
from sinks.store.questions.acknowledgements import standing as said_of
from sinks.store.questions.summaries import summary_of

router = APIRouter(include_in_schema=False)


@router.get("/summaries/{notice_id:path}", response_class=HTMLResponse)
def summary_page(page: Signed, notice_id: str) -> HTMLResponse:
    """One summary, with a form for whom it was sent to."""
    with page.store() as store:
        found = summary_of(store, notice_id)
        if found is None:
            raise HTTPException(404, f"no summary {notice_id} is on record; Compliance has those that are")
        asked = next((one for one in asked_of(store, "summary", [notice_id]) if one.person == found.person), None)
        stretch = summing.stretch_of(page, found)
        assertions = summing.held(page, store, found, stretch)
        values = {
            "one": found,
            "stretch": stretch,
            "held": assertions,
            "broken": summing.broken(store, found, stretch),
            "owed": summing.owed(page, store, found),
            "unjudged": summing.unjudged(assertions),
            "receipt": asked,
            "said": "nobody is asked for a receipt" if asked is None else said_of(asked, page.now),
            "mine": asked is not None and bool(asked.waiting) and found.person == page.viewer.person,
            "shown": summing.SHOWN,
            "standing_of": standing_of,
        }
    return page.render("summary.html", values)
