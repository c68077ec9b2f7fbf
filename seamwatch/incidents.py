"""Incidents: one violation as a page tells of it, with what a woken person needs beside it, as fields for machines.

Values only. The words that a person reads are `seamwatch.paging`'s, who is told what is the pager's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation

News = Literal["trigger", "again", "escalated", "acknowledged", "resolved"]
"""What a page tells: somebody must act, they must still, another must now, somebody does, it is over."""

TRIGGER: Final = "trigger"
AGAIN: Final = "again"
ESCALATED: Final = "escalated"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"

AFTERWARDS: Final[tuple[Literal["again", "escalated", "acknowledged", "resolved"], ...]] = (
    AGAIN, ESCALATED, ACKNOWLEDGED, RESOLVED,
)  # fmt: skip
"""What is told to who was paged before."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What comes next for a violation: its runbook, when the clock of who must act ends, and who is told then.

    ``following`` is None when nobody is: the person is the last of the list, or the contract is not known. Times are
    microseconds.
    """

    runbook: str | None = None
    deadline: int | None = None
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """What a channel for machines is told of one violation, notice or outage; ``board`` is the address of its page.

    ``summed`` is what a scheduled summary says beside its sentence, by name (`seamwatch.summed`); None of all others.
    """

    violation: Violation
    news: News = TRIGGER
    ahead: Ahead = field(default_factory=Ahead)
    board: str | None = None
    summed: Mapping[str, Any] | None = None

    @property
    def dedup_key(self) -> str:
        """By which a receiver knows that two messages tell of the same."""
        return self.violation.violation_id

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of the events that offended, the earliest five."""
        return tuple(each.event_id for each in self.violation.evidence)

    @property
    def state(self) -> Literal["trigger", "acknowledged", "resolved"]:
        """What it is now, whatever is told of it."""
        if self.news == RESOLVED or self.violation.state == "resolved":
            return "resolved"
        return "acknowledged" if self.violation.state == "acknowledged" else "trigger"

    @property
    def is_to_be_taken(self) -> bool:
        """Whether somebody can acknowledge it: it is a violation, which nobody has taken on, and not over."""
        return self.state == "trigger" and self.violation.severity in ("warning", "breach")

    def fields(self) -> dict[str, Any]:
        """All of it by name, times as RFC 3339; what is not known is null."""
        told, ahead = self.violation, self.ahead
        return {
            "violation_id": told.violation_id,
            "dedup_key": self.dedup_key,
            "news": self.news,
            "state": self.state,
            "severity": told.severity,
            "system": told.system,
            "slice": told.slice,
            "kind": told.kind,
            "contract": told.contract,
            "contract_version": told.contract_version,
            "clause": told.clause,
            "summary": told.summary,
            "observed": told.observed,
            "limit": told.limit,
            "unit": told.unit,
            "opened_at": _text(told.opened_at),
            "since": _text(told.since),
            "person": told.person,
            "step": told.step,
            "acknowledged_by": told.acknowledged_by,
            "acknowledged_at": _text(told.acknowledged_at),
            "resolved_at": _text(told.resolved_at),
            "evidence": list(self.evidence),
            "runbook": ahead.runbook,
            "deadline": _text(ahead.deadline),
            "next_person": ahead.following,
            "board": self.board,
            "summed": None if self.summed is None else dict(self.summed),
        }


def _text(moment: int | None) -> str | None:
    return None if moment is None else format_instant(moment)
