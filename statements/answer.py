"""Answers: what a person says to a violation, a change or a summary, from finding what is meant to the judge's verdict.

Signs nothing: who sends an answer of a person with keys signs `seamwatch.signatures.acknowledgement_bytes` of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from seamwatch.errors import SeamwatchError, UnreachableError, UsageError

if TYPE_CHECKING:
    from sinks.store.client import Store
    from sinks.store.questions.references import Referred
    from statements.published import Published
    from statements.running import RunningSystem

_ANSWERED: Final = ("config_change", "violations", "notice")
"""Topics of what is answered, which may be on its way to the store."""


class NothingMeantError(SeamwatchError):
    """Nothing is on record that a reference could mean."""


def meant(store: Store, system: RunningSystem, reference: str, patience: float) -> Referred:
    """What a reference means that somebody gives: a violation or summary (or its id's beginning), or a change.

    Waits for up to ``patience`` seconds for what is on its way to the store. Raises SeamwatchError where nothing is
    meant, or it is over, and UsageError where it could be several things.
    """
    from sinks.store.questions.references import referred
    from statements.recorded import once_recorded

    found = once_recorded(store, system, _ANSWERED, lambda: referred(store, reference), patience)
    return _the_one(found, reference)


def of_violation(violation_id: str, system: str, summary: str) -> Referred:
    """What is answered, of a violation that is known to be open."""
    from sinks.store.questions.references import Referred

    return Referred("violation", violation_id, system, summary, None)


def announcement(store: Store, published: Published, found: Referred, reference: str) -> dict[str, Any]:
    """The announcement that stands of a change, which is what is answered.

    Raises SeamwatchError when none stands, or another was named.
    """
    from seamwatch.clauses.change_notice import ChangeNotice
    from seamwatch.signatures import change_digest
    from sinks.store.questions.announcements import announcements, newest_of, standing

    change, system = found.reference, found.system
    records = [record for record in announcements(store, change) if record["system"] == system]
    # Of several things announced under the id, those that somebody is asked about; all of them where nobody is.
    asking = [bound.clause for bound in published.clauses(system, "change_notice")]
    asked = [
        r for r in records if any(isinstance(c, ChangeNotice) and c.concerns(r["kind"]) for c in asking)
    ] or records
    seams = published.seams(system)
    newest = next((record for seam in seams if (record := newest_of(asked, standing(seam, asked)))), None)
    if newest is None:
        raise SeamwatchError(f"the answer would not count, and was not sent: change {change} was withdrawn")
    digest = change_digest(newest)
    named = reference.removeprefix(f"{change}@") if reference != change else ""
    if not digest.startswith(named):
        raise SeamwatchError(
            f"the answer was not sent: change {change} was announced again with other content after {reference}; read "
            f"it, and answer {change}@{digest[:12]}"
        )
    return newest


def draft(
    found: Referred,
    person: str,
    answer: Literal["accept", "object", "retract"],
    note: str | None,
    at: int,
    producer: str,
    announced: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The event of an answer, unsigned; ``at``: micros, ``announced``: the announcement, where a change is answered."""
    import uuid_utils

    from seamwatch.signatures import change_digest

    return {
        "event_id": str(uuid_utils.uuid7()),
        "event_time": at,
        "producer": producer,
        "system": found.system,
        "of": found.of,
        "reference": found.reference,
        "person": person,
        "answer": answer,
        "note": note,
        "key_id": None,
        "signature": None,
        "change_digest": None if announced is None else change_digest(announced),
    }


def told(found: Referred, announced: dict[str, Any] | None) -> Referred:
    """What is answered, with the words of the announcement that stands."""
    return found if announced is None else replace(found, summary=announced["summary"])


def submit(system: RunningSystem, event: dict[str, Any], patience: float) -> dict[str, Any] | None:
    """Send an answer; the judge's verdict on it, None when none came within ``patience`` seconds.

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


def _the_one(found: Sequence[Referred], reference: str) -> Referred:
    from seamwatch.judging.patterns.wording import moment_text
    from sinks.store.questions.references import SHORTEST

    if not found and len(reference) < SHORTEST:
        raise UsageError(
            f"{reference!r} is no change, and too short for a violation or a summary: write at least {SHORTEST} "
            "characters of its id"
        )
    if not found:
        raise NothingMeantError(
            f"no violation, change or summary {reference!r} is on record: see `seamwatch violations --open`"
        )
    if len(found) > 1:
        raise UsageError(
            f"{reference!r} could be {', '.join(sorted(one.reference for one in found)[:5])}: write more of it"
        )
    if found[0].resolved_at is not None:
        over = moment_text(found[0].resolved_at)
        raise SeamwatchError(
            f"the answer would not count, and was not sent: violation {found[0].reference} is over since {over}"
        )
    return found[0]


def _publish(system: RunningSystem, event: dict[str, Any]) -> None:
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics
    from statements.sending import send

    value = Codec().encode("acknowledgement", event)
    if why := send(system.kafka, Topics(system.prefix).input("acknowledgement"), [(event["system"].encode(), value)]):
        raise UnreachableError(f"the answer did not reach Kafka at {system.kafka}: {why}; try again")
