"""Answered: what an acknowledgement can come to, in one word and in one sentence.

Who decides is the clause that asked, or `seamwatch.engine.answering`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from seamwatch.judging.model.judgement import Answered
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.signatures import PublicKey, acknowledgement_fault

# From what says least of an answer to what says most: of several words about one the last holds.
REASONS: Final = (
    "nobody_asks", "not_asked", "no_authority", "no_target", "not_suspended", "superseded", "too_old", "too_early",
    "unknown", "over", "not_taken", "retracted", "taken", "nobody_left", "other_announcement", "not_retractable",
    "unreadable", "relayed", "no_relay", "no_evidence", "unsigned", "unknown_key", "invalid_key", "wrong_signature",
    "counts",
)  # fmt: skip


def weight_of(reason: str) -> int:
    """How much a reason says, beside others about the same answer."""
    return REASONS.index(reason)


def answered(record: Mapping[str, Any], reason: str, summary: str) -> Answered:
    """The finding about an acknowledgement event, or an attestation; it counted if the reason is ``counts``."""
    return Answered(
        record["event_id"],
        record.get("of", "attestation"),
        record["reference"] if "of" in record else record["subject"],
        record["person"],
        record.get("answer", "accept"),
        int(record["event_time"]),
        reason == "counts",
        reason,
        summary,
    )


def fault_of(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> tuple[str, str] | None:
    """Why an answer to a change or a summary does not bind, as a word and a sentence; None when it does."""
    if record["answer"] == "retract":
        return (
            "not_retractable",
            f"only that a violation was taken on can be taken back, not what was said of a {record['of']}",
        )
    return acknowledgement_fault(record, keys)


def unknown_text(record: Mapping[str, Any]) -> str:
    """The sentence about an answer to what nobody knows of, so far."""
    system, reference = record["system"], record["reference"]
    if record["of"] == "change":
        return f"no change {reference} of {system} was announced so far; the answer waits for it"
    if record["of"] == "summary":
        return f"no summary {reference} of {system} waits for a receipt so far"
    return f"no violation {reference} of {system} is open; the answer waits for a day, in case it is found later"


def over_text(record: Mapping[str, Any], at: int) -> str:
    """The sentence about an answer to a violation that is over."""
    return f"violation {record['reference']} is over since {moment_text(at)}"
