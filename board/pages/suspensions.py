"""Suspensions: suspending a system from its page and resuming it, as oneself; what is suspended, for other pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, JSONResponse

from board import suspending
from board.page import Acting, Page, Signed, wants_fragment
from board.security.origins import RefusedError
from board.signing import Outcome
from board.suspending import State, Wanted

router = APIRouter(include_in_schema=False)

Short = Annotated[str, Form(max_length=512)]
Long = Annotated[str, Form(max_length=2_000)]


@router.get("/parts/suspended", response_class=HTMLResponse)
def suspended(page: Signed, id: str) -> HTMLResponse:  # noqa: A002 - the name in the address
    """What is suspended of a system, and the forms for who may change that."""
    return page.render("parts/suspended.html", shown_of(page, id))


@router.post("/suspensions", response_class=HTMLResponse)
def say(
    page: Acting, system: Short, state: Annotated[State, Form()], version: Short = "", tool: Short = "",
    reason: Long = "", evidence: Short = "", until: Short = "",
) -> HTMLResponse:  # fmt: skip
    """Suspend or resume, unsigned; what came of it."""
    wanted = Wanted(system, state, version, tool, reason, evidence, until)
    return _told(page, [suspending.say(page, wanted)])


@router.post("/suspensions/drafts")
def drafts(
    page: Acting, system: Short, state: Annotated[State, Form()], version: Short = "", tool: Short = "",
    reason: Long = "", evidence: Short = "", until: Short = "",
) -> JSONResponse:  # fmt: skip
    """What is to be signed."""
    wanted = Wanted(system, state, version, tool, reason, evidence, until)
    return JSONResponse([asdict(draft) for draft in suspending.drafts(page, wanted)])


@router.post("/suspensions/signed", response_class=HTMLResponse)
def signed(page: Acting, draft: Annotated[list[str], Form()], signature: Annotated[list[str], Form()]) -> HTMLResponse:
    """Send what was signed in the browser; what came of it."""
    if len(draft) != 1 or len(signature) != 1:
        raise RefusedError("one at a time", 422)
    return _told(page, [suspending.send(page, suspending.signed(page, draft[0], signature[0]))])


def shown_of(page: Page, system: str) -> dict[str, object]:
    """What is suspended of a system now, and whether who looks may suspend it and resume it."""
    return {
        "system": system,
        "stopped": page.suspended(system),
        "may_suspend": suspending.may(page, system, "suspended"),
        "may_resume": suspending.may(page, system, "resumed"),
    }


def _told(page: Page, said: list[Outcome]) -> HTMLResponse:
    """What came of it; 409 where it does not count."""
    status = 200 if all(each.counted for each in said) else 409
    template = "parts/answered.html" if wants_fragment(page.request) else "answered.html"
    return page.render(template, {"said": said}, status)
