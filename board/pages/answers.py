"""Answers: acknowledging and objecting, as oneself; signed in the browser by who has published keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, JSONResponse

from board import answering
from board.answering import Kind
from board.page import Acting, Page, person_of, wants_fragment
from board.security.origins import RefusedError
from board.signing import Outcome, demand_unsigned
from seamwatch.errors import SeamwatchError

router = APIRouter(include_in_schema=False)

_MOST_AT_ONCE: Final = 100


@router.post("/answers", response_class=HTMLResponse)
def answer(
    page: Acting,
    reference: Annotated[list[str], Form()],
    kind: Annotated[Kind, Form()],
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> HTMLResponse:
    """Answer one or several things, unsigned; what came of each."""
    demand_unsigned(page)
    return told(page, [_outcome(page, one, kind, note) for one in _each(page, reference)])


@router.post("/answers/drafts")
def drafts(
    page: Acting,
    reference: Annotated[list[str], Form()],
    kind: Annotated[Kind, Form()],
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> JSONResponse:
    """What is to be signed of each answer."""
    found = [draft for one in _each(page, reference) for draft in answering.drafts(page, one, kind, note)]
    return JSONResponse([asdict(draft) for draft in found])


@router.post("/answers/signed", response_class=HTMLResponse)
def signed(page: Acting, draft: Annotated[list[str], Form()], signature: Annotated[list[str], Form()]) -> HTMLResponse:
    """Send answers that were signed in the browser; what came of each."""
    if len(draft) != len(signature) or len(draft) > _MOST_AT_ONCE:
        raise RefusedError("each draft has one signature", 422)
    # Nothing is sent where one of them is not theirs.
    events = [answering.signed(page, *each) for each in zip(draft, signature, strict=True)]
    return told(page, [answering.send(page, event) for event in events])


def _each(page: Page, references: list[str]) -> list[str]:
    person_of(page)
    if len(references) > _MOST_AT_ONCE:
        raise RefusedError(f"at most {_MOST_AT_ONCE} at once", 422)
    return list(dict.fromkeys(references))


def _outcome(page: Page, reference: str, kind: Kind, note: str) -> Outcome:
    """What came of one of several: where one cannot be answered, the others still are."""
    try:
        return answering.answer(page, reference, kind, note)
    except SeamwatchError as error:
        return Outcome(reference, False, str(error))


def told(page: Page, said: list[Outcome]) -> HTMLResponse:
    """What came of each; 409 where one does not count."""
    status = 200 if all(each.counted for each in said) else 409
    template = "parts/answered.html" if wants_fragment(page.request) else "answered.html"
    return page.render(template, {"said": said}, status)
