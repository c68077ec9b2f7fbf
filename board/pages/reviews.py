"""Reviews: stating what an episode comes to, and that an action is done, as oneself; signed by who has keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, JSONResponse

from board import reviewing
from board.page import Acting
from board.pages.answers import told
from board.security.origins import RefusedError
from board.signing import demand_unsigned

router = APIRouter(include_in_schema=False)

_Text = Annotated[str, Form(max_length=2_000)]
_Texts = Annotated[list[str], Form()]


def _review(
    page: Acting,
    violation: Annotated[str, Form(max_length=512)],
    implied: _Text,
    diverged: _Text,
    cause: _Text,
    person: _Texts,
    due: _Texts,
    what: _Texts,
) -> dict[str, Any]:
    """The event of the review that a form states; rows of actions that are empty are left out."""
    if not len(person) == len(due) == len(what) <= reviewing.ACTION_ROWS:
        raise RefusedError("each action has a person, a date and what is done", 422)
    rows = [row for row in zip(person, due, what, strict=True) if any(text.strip() for text in row)]
    actions = [
        {"id": str(number), "person": by.strip(), "due": at.strip(), "what": done.strip()}
        for number, (by, at, done) in enumerate(rows, 1)
    ]
    content = {"implied": implied, "diverged": diverged, "cause": cause, "actions": actions}
    return reviewing.review(page, violation, content)


def _action(
    page: Acting, system: Annotated[str, Form(max_length=512)], subject: Annotated[str, Form(max_length=2_000)]
) -> dict[str, Any]:
    """The event of the action that a form says is done."""
    return reviewing.action(page, system, subject)


Reviewed = Annotated[dict[str, Any], Depends(_review)]
Done = Annotated[dict[str, Any], Depends(_action)]


@router.post("/reviews", response_class=HTMLResponse)
def review(page: Acting, event: Reviewed) -> HTMLResponse:
    """Give a review, unsigned; what came of it."""
    demand_unsigned(page)
    return told(page, [reviewing.SIGNING.send(page, event)])


@router.post("/actions", response_class=HTMLResponse)
def action(page: Acting, event: Done) -> HTMLResponse:
    """Say that an action is done, unsigned; what came of it."""
    demand_unsigned(page)
    return told(page, [reviewing.SIGNING.send(page, event)])


@router.post("/reviews/drafts")
def review_drafts(page: Acting, event: Reviewed) -> JSONResponse:
    """What is to be signed of a review."""
    return JSONResponse([asdict(draft) for draft in reviewing.SIGNING.drafts(page, event)])


@router.post("/actions/drafts")
def action_drafts(page: Acting, event: Done) -> JSONResponse:
    """What is to be signed of an action that is done."""
    return JSONResponse([asdict(draft) for draft in reviewing.SIGNING.drafts(page, event)])


@router.post("/reviews/signed", response_class=HTMLResponse)
@router.post("/actions/signed", response_class=HTMLResponse)
def signed(
    page: Acting, draft: Annotated[str, Form(max_length=64_000)], signature: Annotated[str, Form(max_length=512)]
) -> HTMLResponse:
    """Send what was signed in the browser; what came of it."""
    return told(page, [reviewing.SIGNING.send(page, reviewing.SIGNING.signed(page, draft, signature))])
