"""Reviewing: what a review or an action says, its drafts and what came of it. Signed and sent by `attesting`."""

from __future__ import annotations

from typing import Any, Final

from board.attesting import attesting
from board.page import Page, person_of
from board.security.origins import RefusedError
from board.signing import PATIENCE_SECONDS, PRODUCER
from seamwatch.clauses.follow_up.statement import statement_of
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.judging.model.facts import Violation
from statements import review as reviews

ACTION_ROWS: Final = 5
"""So many actions fit into the form."""
SIGNING: Final = attesting("review", "reviews")
"""How it is signed and sent."""


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
            violation = reviews.reviewed(store, page.context.shown, violation_id, PATIENCE_SECONDS)
        bound = reviews.asking(Seams(page.context.estate), violation, person)
    except (RefusedError, StoreError, UnreachableError, UsageError):
        raise
    except SeamwatchError as error:
        raise RefusedError(str(error), 409) from None
    return reviews.draft(bound, violation, person, said, page.now, PRODUCER)


def action(page: Page, system: str, subject: str) -> dict[str, Any]:
    """The event that says that an action is done, unsigned."""
    return reviews.attestation("action", system, subject, person_of(page), page.now, PRODUCER)
