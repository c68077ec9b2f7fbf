"""Declaring: what is said of an incident, its drafts and what came of it. How it is signed and sent: `attesting`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from board.attesting import attesting
from board.page import Page, person_of
from board.security.origins import RefusedError
from board.signing import PATIENCE_SECONDS, PRODUCER
from seamwatch.clauses.incident import Incident as Clause
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.judging.model.facts import Violation
from sinks.store.questions.incidents import Incident, said_of, standing
from statements import incident as incidents
from statements.violations import violation_meant

SIGNING: Final = attesting("incident", "declares")
"""How it is signed and sent."""


@dataclass(frozen=True, slots=True)
class May:
    """What who looks may say of an episode: declare it, as one of some kinds, and report it."""

    kinds: tuple[str, ...] = ()
    reports: bool = False


def told(page: Page, violation: Violation) -> dict[str, Any]:
    """What was said of an episode, how it stands, and what who looks may say of it."""
    with page.store() as store:
        found = incidents.incidents_of(store, violation)
        said = said_of(store, violation.violation_id)
    stands = [(one, standing(one, page.now)) for one in found]
    return {"v": violation, "declared": stands, "said": said, "may": may(page, violation, found)}


def may(page: Page, violation: Violation, declared: list[Incident]) -> May:
    """What who looks may say of an episode; nothing where no clause takes it from them."""
    person, seams = page.viewer.person, Seams(page.context.estate)
    if person is None:
        return May()
    try:
        bound = incidents.taking(seams, violation, person, page.now)
        stands = [one for one in declared if one.owes is not None]
        if stands:
            bound = incidents.declared_under(seams, violation, stands, page.now)[0]
    except SeamwatchError:
        return May()
    clause = bound.clause
    if not isinstance(clause, Clause) or person not in clause.authorised(bound.seam):
        return May()
    return May(tuple(clause.within), bool(stands))


def declared(page: Page, violation_id: str, kind: str, aware: str | None, note: str) -> dict[str, Any]:
    """The event of a declaration, unsigned. Raises RefusedError for what cannot be declared, or says too little."""
    person = person_of(page)

    def make(seams: Seams, violation: Violation, before: list[Incident]) -> dict[str, Any]:
        said = incidents.declaration(violation, kind or None, aware, note, page.now, before)
        stands = [one for one in before if one.owes is not None]
        bound = (
            incidents.declared_under(seams, violation, stands, page.now)[0]
            if stands
            else incidents.taking(seams, violation, person, page.now)
        )
        return _event(page, bound, violation, person, said)

    return _made(page, violation_id, make)


def withdrawn(page: Page, violation_id: str, reason: str) -> dict[str, Any]:
    """The event of a withdrawal, unsigned."""
    person = person_of(page)

    def make(seams: Seams, violation: Violation, before: list[Incident]) -> dict[str, Any]:
        bound = incidents.declared_under(seams, violation, before, page.now)[0]
        return _event(page, bound, violation, person, incidents.withdrawal(reason))

    return _made(page, violation_id, make)


def reported(
    page: Page,
    violation_id: str,
    stage: Literal["draft", "initial", "complete"],
    receipt: str | None,
    said: dict[str, str | None],
) -> dict[str, Any]:
    """The event of a draft, or of a report that was sent, unsigned."""
    person = person_of(page)

    def make(seams: Seams, violation: Violation, before: list[Incident]) -> dict[str, Any]:
        bound = incidents.declared_under(seams, violation, before, page.now)[0]
        return _event(page, bound, violation, person, incidents.report(stage, **said), receipt)

    return _made(page, violation_id, make)


def _made(
    page: Page, violation_id: str, make: Callable[[Seams, Violation, list[Incident]], dict[str, Any]]
) -> dict[str, Any]:
    try:
        with page.store() as store:
            violation = violation_meant(store, page.context.shown, violation_id, PATIENCE_SECONDS, "On call")
            before = incidents.incidents_of(store, violation)
        return make(Seams(page.context.estate), violation, before)
    except UsageError as error:
        raise RefusedError(str(error), 422) from None
    except (RefusedError, StoreError, UnreachableError):
        raise
    except SeamwatchError as error:
        raise RefusedError(str(error), 409) from None


def _event(
    page: Page, bound: BoundClause, violation: Violation, person: str, said: Any, receipt: str | None = None
) -> dict[str, Any]:
    return incidents.draft_event(bound, violation, person, said, page.now, PRODUCER, receipt)
