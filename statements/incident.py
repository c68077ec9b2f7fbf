"""Incidents: what a person states of an episode that is a serious incident, from finding the clause to the event.

Signs and sends nothing: that is done as for a review (`statements.review`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.instants import format_instant
from statements.review import attestation

if TYPE_CHECKING:
    from seamwatch.clauses.incident.statement import Declaration, Report, Withdrawal
    from seamwatch.engine.seams import BoundClause, Seams
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.incidents import Incident


def began_at(violation: Violation) -> int:
    """When an episode began (micros): before that nobody can have been aware of it."""
    since = violation.since
    return violation.opened_at if since is None else min(since, violation.opened_at)


def taking(seams: Seams, violation: Violation, person: str, at: int) -> BoundClause:
    """The clause under which a person may declare an episode, of its own contract before another over its system.

    Raises SeamwatchError for a drill and where none takes declarations; where none takes those of this person, any,
    which says so.
    """
    from seamwatch.clauses.incident import Incident
    from seamwatch.judging.model.facts import DRILL

    if violation.severity == DRILL:
        raise SeamwatchError(f"{violation.violation_id} is a drill, in which nothing happened")

    found = [
        (bound, bound.clause.authorised(bound.seam))
        for bound in seams.wanting("attestation", violation.system, at)
        if isinstance(bound.clause, Incident)
    ]
    if not found:
        raise SeamwatchError(
            f"no contract over {violation.system} has a clause of kind incident, by which one could be declared"
        )
    found.sort(key=lambda one: (one[0].seam.contract != violation.contract, one[0].seam.contract, one[0].clause.id))
    return next((bound for bound, may in found if person in may), found[0][0])


def declared_under(seams: Seams, violation: Violation, said: Sequence[Incident], at: int) -> list[BoundClause]:
    """The clauses in force under which an episode was declared an incident, the latest first.

    Raises SeamwatchError where it was under none.
    """
    names = dict.fromkeys((one.contract, one.clause) for one in sorted(said, key=lambda one: -one.declared_at))
    bound = {
        (bound.seam.contract, bound.clause.id): bound
        for bound in seams.wanting("attestation", violation.system, at)
    }  # fmt: skip
    found = [bound[name] for name in names if name in bound]
    if not found:
        raise SeamwatchError(
            f"violation {violation.violation_id} is not declared an incident: see `seamwatch incidents --over`"
        )
    return found


def incidents_of(store: Store, violation: Violation) -> list[Incident]:
    """All declarations of a violation on record."""
    from sinks.store.questions.incidents import incidents

    return incidents(store, violation=violation.violation_id, over=True)


def declaration(
    violation: Violation, kind: str | None, aware: str | None, note: str, now: int, before: Sequence[Incident]
) -> Declaration:
    """What is declared; what is left out is as it was declared before, or one is aware of it now.

    Raises UsageError, which says what is missing or wrong.
    """
    from seamwatch.clauses.incident.statement import Declaration
    from seamwatch.clauses.stated import read_as

    standing = next((one for one in reversed(before) if one.owes is not None), None)
    if standing is not None:
        kind, known = kind or standing.kind, standing.aware_at
    else:
        known = now
    if kind is None:
        raise UsageError("say which kind of incident it is: --kind")
    said = {
        "kind": kind, "aware": format_instant(known) if aware is None else aware,
        "began": format_instant(began_at(violation)), "note": note,
    }  # fmt: skip
    try:
        return read_as(Declaration, said)
    except ValueError as error:
        raise UsageError(str(error)) from None


def withdrawal(reason: str) -> Withdrawal:
    """That it is none after all. Raises UsageError where no reason is given."""
    from seamwatch.clauses.incident.statement import Withdrawal
    from seamwatch.clauses.stated import read_as

    try:
        return read_as(Withdrawal, {"withdrawn": reason})
    except ValueError as error:
        raise UsageError(str(error)) from None


def report(stage: str, **said: str | None) -> Report:
    """A draft, or that a report was sent. Raises UsageError for what says too little, or too much."""
    from seamwatch.clauses.incident.statement import Report
    from seamwatch.clauses.stated import read_as

    try:
        return read_as(Report, {"stage": stage, **said})
    except ValueError as error:
        raise UsageError(str(error)) from None


def draft_event(
    bound: BoundClause,
    violation: Violation,
    person: str,
    said: Declaration | Withdrawal | Report,
    at: int,
    producer: str,
    evidence_uri: str | None = None,
) -> dict[str, Any]:
    """The event of what a person says of an incident, unsigned; ``at``: micros."""
    from seamwatch.clauses.incident.statement import Report

    kind = "report" if isinstance(said, Report) else "incident"
    subject = f"{bound.seam.contract}#{bound.clause.id}/{violation.violation_id}"
    event = attestation(kind, violation.system, subject, person, at, producer)
    return event | {"statement": said.text(), "evidence_uri": evidence_uri}
