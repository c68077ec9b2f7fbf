"""Incidents: declaring an episode one, withdrawing that, and putting a report on record, as oneself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, JSONResponse

from board import declaring
from board.page import Acting
from board.pages.answers import told
from board.signing import demand_unsigned

router = APIRouter(include_in_schema=False)

_Name = Annotated[str, Form(max_length=512)]
_Text = Annotated[str, Form(max_length=2_000)]
_Draft = Annotated[str, Form(max_length=12_000)]


def _declared(
    page: Acting, violation: _Name, kind: _Name, note: _Text, aware: Annotated[str, Form(max_length=40)] = ""
) -> dict[str, Any]:
    """The event of the declaration that a form states."""
    return declaring.declared(page, violation, kind, aware.strip() or None, note)


def _withdrawn(page: Acting, violation: _Name, reason: _Text) -> dict[str, Any]:
    """The event of a withdrawal."""
    return declaring.withdrawn(page, violation, reason)


def _reported(
    page: Acting,
    violation: _Name,
    stage: Annotated[Literal["draft", "initial", "complete"], Form()],
    receipt: _Text = "",
    to: Annotated[str, Form(max_length=200)] = "",
    content: _Draft = "",
) -> dict[str, Any]:
    """The event of a draft or a report that was sent."""
    said = {"to": to.strip() or None, "content": content.strip() or None}
    return declaring.reported(page, violation, stage, receipt.strip() or None, said)


Declared = Annotated[dict[str, Any], Depends(_declared)]
Withdrawn = Annotated[dict[str, Any], Depends(_withdrawn)]
Reported = Annotated[dict[str, Any], Depends(_reported)]


@router.post("/incidents", response_class=HTMLResponse)
def declare(page: Acting, event: Declared) -> HTMLResponse:
    """Declare an episode an incident, unsigned; what came of it."""
    return _send(page, event)


@router.post("/incidents/withdrawn", response_class=HTMLResponse)
def withdraw(page: Acting, event: Withdrawn) -> HTMLResponse:
    """Withdraw a declaration, unsigned; what came of it."""
    return _send(page, event)


@router.post("/incidents/reports", response_class=HTMLResponse)
def report(page: Acting, event: Reported) -> HTMLResponse:
    """Put a draft or a report on record, unsigned; what came of it."""
    return _send(page, event)


@router.post("/incidents/drafts")
def declare_drafts(page: Acting, event: Declared) -> JSONResponse:
    """What is to be signed of a declaration."""
    return _drafts(page, event)


@router.post("/incidents/withdrawn/drafts")
def withdraw_drafts(page: Acting, event: Withdrawn) -> JSONResponse:
    """What is to be signed of a withdrawal."""
    return _drafts(page, event)


@router.post("/incidents/reports/drafts")
def report_drafts(page: Acting, event: Reported) -> JSONResponse:
    """What is to be signed of a draft or a report."""
    return _drafts(page, event)


@router.post("/incidents/signed", response_class=HTMLResponse)
@router.post("/incidents/withdrawn/signed", response_class=HTMLResponse)
@router.post("/incidents/reports/signed", response_class=HTMLResponse)
def signed(
    page: Acting, draft: Annotated[str, Form(max_length=64_000)], signature: Annotated[str, Form(max_length=512)]
) -> HTMLResponse:
    """Send what was signed in the browser; what came of it."""
    return told(page, [declaring.SIGNING.send(page, declaring.SIGNING.signed(page, draft, signature))])


def _send(page: Acting, event: dict[str, Any]) -> HTMLResponse:
    demand_unsigned(page)
    return told(page, [declaring.SIGNING.send(page, event)])


def _drafts(page: Acting, event: dict[str, Any]) -> JSONResponse:
    return JSONResponse([asdict(draft) for draft in declaring.SIGNING.drafts(page, event)])
