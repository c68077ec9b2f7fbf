"""Suspending: what somebody says to suspend or resume a system, signed or not, and what came of it. As oneself only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from board.page import Page, person_of
from board.security.origins import RefusedError
from board.signing import PATIENCE_SECONDS, PRODUCER, Draft, Outcome, Signing, demand_unsigned
from seamwatch.engine.seams import Seams
from seamwatch.instants import parse_instant
from seamwatch.judging.patterns.suspensions import Target, why_void
from seamwatch.signatures import suspension_bytes, suspension_fault
from statements import suspension

State = Literal["suspended", "resumed"]

_SIGNING: Final = Signing("suspension", "system", "suspends and resumes", suspension_bytes, suspension_fault)
_UNHEARD: Final = (
    "it was sent and is on record, but no judge has said that it holds, so no guard knows of it: is one running?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be said, as a form gives it: empty texts where it says nothing. ``until`` is RFC 3339."""

    system: str
    state: State
    version: str
    tool: str
    reason: str
    evidence: str
    until: str


def say(page: Page, wanted: Wanted) -> Outcome:
    """Say it, unsigned. Raises RefusedError for somebody whose unsigned word does not count."""
    demand_unsigned(page, "use `seamwatch suspend` and `resume`")
    event = _event(page, wanted)
    _demand_effect(page, event)
    return send(page, event)


def drafts(page: Page, wanted: Wanted) -> list[Draft]:
    """What is to be signed, by each key of who says it."""
    return _SIGNING.drafts(page, _event(page, wanted))


def signed(page: Page, draft: str, signature: str) -> dict[str, Any]:
    """The event of a draft, signed. Raises RefusedError for a draft or a signature of another, or without effect."""
    event = _SIGNING.signed(page, draft, signature)
    _demand_effect(page, event)
    return event


def send(page: Page, event: dict[str, Any]) -> Outcome:
    """Send it; what came of it. Raises UnreachableError."""
    verdict = suspension.submit(page.context.shown, event, PATIENCE_SECONDS)
    if verdict is None:
        return Outcome(_what(event), None, _UNHEARD)
    return Outcome(_what(event), verdict["counted"], verdict["summary"])


def may(page: Page, system: str, state: State) -> bool:
    """Whether who looks may suspend a system, or resume it, by the documents that are published."""
    for seam in _seams(page, system):
        who = seam.authority.suspend if state == "suspended" else seam.authority.resume
        return page.viewer.person in who and page.viewer.may_answer()
    return False


def _event(page: Page, wanted: Wanted) -> dict[str, Any]:
    """The event, unsigned. Raises RefusedError for what says too little."""
    person, resumes = person_of(page), wanted.state == "resumed"
    if resumes and not (wanted.evidence.strip() or wanted.reason.strip()):
        raise RefusedError("say on which evidence it is resumed", 422)
    if not resumes and not wanted.reason.strip():
        raise RefusedError("say why: whoever is refused reads it", 422)
    try:
        until = parse_instant(wanted.until) if wanted.until.strip() else None
    except ValueError as error:
        raise RefusedError(f"until: {error}", 422) from None
    reason = wanted.reason.strip() or f"on the evidence of {wanted.evidence.strip()}"
    return suspension.draft(
        wanted.system, wanted.state, person, reason, page.now, PRODUCER, version=wanted.version or None,
        tool=wanted.tool or None, until=until, evidence=wanted.evidence.strip() or None,
    )  # fmt: skip


def _demand_effect(page: Page, event: dict[str, Any]) -> None:
    """Raise RefusedError where it would not count."""
    for seam in _seams(page, event["system"]):
        if (void := why_void(seam, event, None)) is not None:
            raise RefusedError(f"it would not count, and was not sent: {void[1]}", 409)


def _seams(page: Page, system: str) -> list[Any]:
    wanting = Seams(page.context.estate).wanting("suspension", system, page.now)
    return [bound.seam for bound in wanting]


def _what(event: dict[str, Any]) -> str:
    return Target(event["version"], event["tool"]).text(event["system"])
