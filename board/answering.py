"""Answering: what is answered, its drafts and what came of it, for pages and API alike. How it is signed: `signing`."""

from __future__ import annotations

from typing import Any, Final, Literal

from board.page import Page, person_of
from board.security.origins import RefusedError
from board.signing import PATIENCE_SECONDS, PRODUCER, Draft, Outcome, Signing, demand_unsigned
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.signatures import acknowledgement_bytes, acknowledgement_fault
from statements import answer as answers
from statements.published import Published

Kind = Literal["accept", "object", "retract"]

_SIGNING: Final = Signing("answer", "reference", "acknowledges", acknowledgement_bytes, acknowledgement_fault)


def answer(page: Page, reference: str, kind: Kind, note: str) -> Outcome:
    """Answer one thing, unsigned. Raises RefusedError for somebody whose unsigned word does not count."""
    demand_unsigned(page)
    return send(page, _draft(page, reference, kind, note))


def drafts(page: Page, reference: str, kind: Kind, note: str) -> list[Draft]:
    """What is to be signed of an answer, by each key of who answers."""
    return _SIGNING.drafts(page, _draft(page, reference, kind, note))


def signed(page: Page, draft: str, signature: str) -> dict[str, Any]:
    """The event of a draft, signed. Raises RefusedError for a draft or a signature of another."""
    return _SIGNING.signed(page, draft, signature)


def send(page: Page, event: dict[str, Any]) -> Outcome:
    """Send an answer; what came of it. Raises UnreachableError."""
    return _SIGNING.outcome(event, answers.submit(page.context.shown, event, PATIENCE_SECONDS))


def _draft(page: Page, reference: str, kind: Kind, note: str) -> dict[str, Any]:
    """The event of an answer, unsigned. Raises RefusedError for what cannot be answered."""
    try:
        return _drafted(page, reference, kind, note)
    except answers.NothingMeantError as error:
        raise RefusedError(str(error), 404) from None
    except (RefusedError, StoreError, UnreachableError, UsageError):
        raise
    except SeamwatchError as error:
        raise RefusedError(str(error), 409) from None


def _drafted(page: Page, reference: str, kind: Kind, note: str) -> dict[str, Any]:
    person, system = person_of(page), page.context.shown
    followed = page.episode(reference)
    if followed is not None:
        # What is followed is known without the store, and answered while that is away.
        violation = followed.violation
        if violation.state == "resolved":
            raise SeamwatchError("it is over already, so the answer was not sent")
        if kind == "retract" and violation.state != "acknowledged":
            raise SeamwatchError(
                "nobody has taken it on, so there is nothing to take back, and the answer was not sent"
            )
        found = answers.of_violation(violation.violation_id, violation.system, violation.summary)
        return answers.draft(found, person, kind, note or None, page.now, PRODUCER)
    with page.store() as store:
        found = answers.meant(store, system, reference, PATIENCE_SECONDS)
        if kind == "retract" and found.of != "violation":
            raise SeamwatchError(f"only that a violation was taken on can be taken back; this is a {found.of}")
        announced = None
        if found.of == "change":
            announced = answers.announcement(store, Published(system), found, reference)
    return answers.draft(found, person, kind, note or None, page.now, PRODUCER, announced)
