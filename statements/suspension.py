"""Suspensions and resumptions: what a person with authority says, made, sent, and the judge's verdict awaited.

Signs nothing: who sends one of a person with keys signs `seamwatch.signatures.suspension_bytes` of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from seamwatch.errors import UnreachableError

if TYPE_CHECKING:
    from statements.published import Published
    from statements.running import RunningSystem


def draft(
    system: str,
    state: Literal["suspended", "resumed"],
    person: str,
    reason: str,
    at: int,
    producer: str,
    *,
    version: str | None = None,
    tool: str | None = None,
    until: int | None = None,
    evidence: str | None = None,
) -> dict[str, Any]:
    """The event, unsigned; ``at`` and ``until`` in micros."""
    from seamwatch.wire.events import new_event_id

    return {
        "event_id": new_event_id(),
        "event_time": at,
        "producer": producer,
        "system": system,
        "version": version,
        "tool": tool,
        "state": state,
        "person": person,
        "reason": reason,
        "evidence_uri": evidence,
        "until": until,
        "contract": None,
        "key_id": None,
        "signature": None,
    }


def why_void(published: Published, event: dict[str, Any]) -> str | None:
    """Why it would not count, by the documents that are published; None when it would."""
    from seamwatch.judging.patterns.suspensions import why_void as why

    for bound in published.clauses(event["system"], "suspension"):
        if (void := why(bound.seam, event, None)) is not None:
            return void[1]
    return None


def submit(system: RunningSystem, event: dict[str, Any], patience: float) -> dict[str, Any] | None:
    """Send it; the judge's verdict on it, None when none came within ``patience`` seconds.

    Raises UnreachableError when the broker does not take it, or does not answer.
    """
    from seamwatch.wire.topics import Topics
    from statements.verdicts import Verdicts

    if not patience:
        _publish(system, event)
        return None
    with Verdicts(system.kafka, Topics(system.prefix).verdict) as verdicts:
        _publish(system, event)
        return verdicts.wait(event["event_id"], patience)


def _publish(system: RunningSystem, event: dict[str, Any]) -> None:
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics
    from statements.sending import send

    value = Codec().encode("suspension", event)
    if why := send(system.kafka, Topics(system.prefix).input("suspension"), [(event["system"].encode(), value)]):
        raise UnreachableError(f"it did not reach Kafka at {system.kafka}: {why}; try again")
