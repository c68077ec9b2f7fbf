"""Reviewing: drafts, signatures and what came of a review or an action. One acts as oneself only."""

from __future__ import annotations

from typing import Any, Final, cast

from itsdangerous import BadSignature

from board.answering import Draft, Outcome, keys_of, public_keys_of
from board.page import Page, person_of
from board.security.origins import RefusedError
from seamwatch.clauses.follow_up.statement import statement_of
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.judging.model.facts import Violation
from seamwatch.signatures import attestation_bytes, attestation_fault
from statements import review as reviews

ACTION_ROWS: Final = 5
"""So many actions fit into the form."""
_PATIENCE_SECONDS: Final = 10.0
_PRODUCER: Final = "seamwatch board"


def asking(page: Page, violation: Violation) -> BoundClause | None:
    """The clause that asks for the review of an episode that is over; None while it is open, or where none does."""
    if violation.resolved_at is None:
        return None
    try:
        return reviews.asking(Seams(page.context.estate), violation, page.viewer.person or "")
    except SeamwatchError:
        return None


def review(page: Page, violation_id: str, content: dict[str, Any]) -> dict[str, Any]:
    """The event of a review, unsigned. Raises RefusedError for what cannot be reviewed, or does not say all of it."""
    person = person_of(page)
    try:
        said = statement_of(content)
    except ValueError as error:
        raise RefusedError(str(error), 422) from None
    try:
        with page.store() as store:
            violation = reviews.reviewed(store, page.context.shown, violation_id, _PATIENCE_SECONDS)
        bound = reviews.asking(Seams(page.context.estate), violation, person)
    except (RefusedError, StoreError, UnreachableError, UsageError):
        raise
    except SeamwatchError as error:
        raise RefusedError(str(error), 409) from None
    return reviews.draft(bound, violation, person, said, page.now, _PRODUCER)


def action(page: Page, system: str, subject: str) -> dict[str, Any]:
    """The event that says that an action is done, unsigned."""
    return reviews.attestation("action", system, subject, person_of(page), page.now, _PRODUCER)


def drafts(page: Page, event: dict[str, Any]) -> list[Draft]:
    """What is to be signed of an event, by each key of who acts."""
    found = []
    for key in keys_of(page, person_of(page)):
        signed = event | {"key_id": key.key_id}
        text = attestation_bytes(signed).decode()
        found.append(Draft(event["subject"], key.key_id, key.public, text, str(_signer(page).dumps(signed))))
    return found


def signed(page: Page, draft: str, signature: str) -> dict[str, Any]:
    """The event of a draft, signed. Raises RefusedError for a draft or a signature of another."""
    person = person_of(page)
    try:
        event = cast("dict[str, Any]", _signer(page).loads(draft))
    except BadSignature:
        raise RefusedError("this is no draft of this session: load the page again, and repeat") from None
    event["signature"] = signature
    if event["person"] != person:
        raise RefusedError("one reviews as oneself only")
    fault = attestation_fault(event, public_keys_of(page, person))
    if fault is not None:
        raise RefusedError(fault[1])
    return event


def send(page: Page, event: dict[str, Any]) -> Outcome:
    """Send an event; what came of it. Raises UnreachableError."""
    (verdict,) = reviews.submit(page.context.shown, [event], _PATIENCE_SECONDS)
    if verdict is None:
        waits = "it was sent and is on record, but no judge has said yet whether it counts: is one running?"
        return Outcome(event["subject"], None, waits)
    return Outcome(event["subject"], verdict["counted"], verdict["summary"])


def _signer(page: Page) -> Any:
    return page.context.sessions.signer(f"review {page.viewer.session}")
