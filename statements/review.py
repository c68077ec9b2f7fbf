"""Reviews: what a person states of violations that are over, from finding the clause that asks to the judge's verdict.

Signs nothing: who sends a statement of a person with keys signs `seamwatch.signatures.attestation_bytes` of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from seamwatch.errors import SeamwatchError, UnreachableError, UsageError

if TYPE_CHECKING:
    from seamwatch.clauses.follow_up.statement import Statement
    from seamwatch.engine.seams import BoundClause, Seams
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from statements.running import RunningSystem

_ACTION: Final = re.compile(r"(?P<person>\S+) by (?P<due>\S+): (?P<what>.+)", re.DOTALL)


def action_of(text: str, number: int) -> dict[str, Any]:
    """An action as it is typed, ``PERSON by DATE: what``, with a number as its id. Raises UsageError for other text."""
    match = _ACTION.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"an action is written as 'PERSON by DATE: what', not as {text!r}")
    return {"id": str(number), **match.groupdict()}


def with_ids(content: Any) -> Any:
    """What a file states, whose actions get their number as id where they have none."""
    if not isinstance(content, dict) or not isinstance(content.get("actions"), list):
        return content
    actions = [
        {"id": str(number), **each} if isinstance(each, dict) else each
        for number, each in enumerate(content["actions"], 1)
    ]
    return {**content, "actions": actions}


def reviewed(store: Store, system: RunningSystem, reference: str, patience: float) -> Violation:
    """The violation that is over which a reference means, its id or that's beginning.

    Waits for up to ``patience`` seconds for what is on its way to the store. Raises SeamwatchError where there is none,
    or it is not over, and UsageError where it could be several.
    """
    from statements.violations import violation_meant

    violation = violation_meant(store, system, reference, patience, "seamwatch followups")
    if violation.resolved_at is None:
        raise SeamwatchError(f"violation {violation.violation_id} is not over: it is reviewed when it is")
    return violation


def asking(seams: Seams, violation: Violation, person: str) -> BoundClause:
    """The clause that asks for the review of a violation, where several do one that ``person`` may answer.

    Raises SeamwatchError when none asks.
    """
    from seamwatch.clauses.follow_up import FollowUp
    from seamwatch.judging.model.judgement import ENDED

    at = violation.resolved_at or violation.opened_at
    asked = [
        bound
        for bound in seams.wanting(ENDED, violation.system, at)
        if bound.seam.contract == violation.contract
        and isinstance(bound.clause, FollowUp)
        and bound.clause.follows(asdict(violation))
    ]
    if not asked:
        raise SeamwatchError(
            f"no clause of contract {violation.contract} follows up on violation {violation.violation_id} "
            f"({violation.severity} of clause {violation.clause!r}, {violation.kind})"
        )
    return next((bound for bound in asked if person in bound.clause.people()), asked[0])


def draft(
    bound: BoundClause, violation: Violation, person: str, said: Statement, at: int, producer: str
) -> dict[str, Any]:
    """The event of a review, unsigned; ``at``: micros."""
    subject = f"{bound.seam.contract}#{bound.clause.id}/{violation.violation_id}"
    return attestation("follow_up", violation.system, subject, person, at, producer) | {"statement": said.text()}


def attestation(kind: str, system: str, subject: str, person: str, at: int, producer: str) -> dict[str, Any]:
    """The event of what a person attests, unsigned; ``at``: micros."""
    from seamwatch.wire.events import new_event_id

    return {
        "event_id": new_event_id(), "event_time": at, "producer": producer, "system": system, "subject": subject,
        "kind": kind, "metric": None, "value": None, "person": person, "evidence_uri": None, "key_id": None,
        "signature": None, "statement": None,
    }  # fmt: skip


def demand_effect(bound: BoundClause, event: dict[str, Any]) -> None:
    """Raise SeamwatchError where an event, as it is signed, would not count."""
    why = bound.clause.why_void(bound.seam, event)
    if why is not None:
        raise SeamwatchError(f"it would not count, and was not sent: {why}")


def submit(system: RunningSystem, events: Sequence[dict[str, Any]], patience: float) -> list[dict[str, Any] | None]:
    """Send what was attested; the judge's verdict on each, None when none came within ``patience`` seconds.

    Raises UnreachableError when the broker does not take it, or does not answer.
    """
    from seamwatch.wire.topics import Topics
    from statements.verdicts import Verdicts

    if not patience:
        _publish(system, events)
        return [None] * len(events)
    with Verdicts(system.kafka, Topics(system.prefix).verdict) as verdicts:
        _publish(system, events)
        return verdicts.wait_for([event["event_id"] for event in events], patience)


def _publish(system: RunningSystem, events: Sequence[dict[str, Any]]) -> None:
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics
    from statements.sending import send

    values = [(event["system"].encode(), Codec().encode("attestation", event)) for event in events]
    if why := send(system.kafka, Topics(system.prefix).input("attestation"), values):
        raise UnreachableError(f"it did not reach Kafka at {system.kafka}: {why}; try again")
