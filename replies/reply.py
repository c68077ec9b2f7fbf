"""A reply: what somebody answered at a service, as its adapter reads it; and why one is not relayed. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from seamwatch.errors import SeamwatchError

Said = Literal["acknowledged", "unacknowledged"]

MOST_BYTES: Final = 64 * 1024
"""What is read of a service's call: it is kept whole as evidence."""

Outcome = Literal[
    "relayed",
    "repeated",
    "ignored",
    "no_violation",
    "unknown_violation",
    "unknown_identity",
    "ambiguous_identity",
    "no_person",
    "stale",
    "malformed",
    "wrong_signature",
    "too_large",
    "too_many",
    "not_ready",
    "no_relay",
    "unreachable",
]
"""What became of a call: it was relayed, came again, asks for nothing, or why it was not relayed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer at one service. ``at``: when it was given (micros); ``id``: what names it at the service, for ever.

    Who answered is the person ``person``, or whom ``identity`` names at ``named_at``; None for both where the service
    says of none: then it is whoever took it on. ``evidence`` is what the service said, as it was verified; ``asked``:
    whether we asked it, so that it is no old call that somebody repeats.
    """

    service: str
    id: str
    said: Said
    violation_id: str
    at: int
    evidence: str
    identity: str | None = None
    named_at: str | None = None
    person: str | None = None
    note: str | None = None
    asked: bool = False


class NotRelayedError(SeamwatchError):
    """A call that is not relayed: for which reason, and by which status the service hears of it."""

    def __init__(self, outcome: Outcome, message: str, status: int) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.status = status


def malformed(message: str) -> NotRelayedError:
    """What a service does not send."""
    return NotRelayedError("malformed", message, 400)


def ignored(message: str) -> NotRelayedError:
    """What asks for nothing; the service need not send it again."""
    return NotRelayedError("ignored", message, 200)


def text_at(content: Any, *path: str) -> str | None:
    """The text below these keys of a JSON object; None where there is none."""
    for key in path:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content if isinstance(content, str) and content.strip() else None
