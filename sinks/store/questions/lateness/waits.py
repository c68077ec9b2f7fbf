"""What was waited for between two moments in the life of a violation, as values, and in which words outages are told.

All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.durations import SECOND
from seamwatch.judging.patterns.wording import millis_text
from sinks.store.questions.lateness.record import Outage

Cause = Literal[
    "producer", "agreed", "lateness", "order", "settling", "backlog", "partition", "measure", "judge", "pager",
    "channel", "pause", "answer", "unknown",
]  # fmt: skip
"""What was waited for, in one word."""

TOLD: Final = 2 * SECOND
"""A gap no longer than this is on the way: it is not told."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What was waited for from ``since`` to ``until``, in words."""

    cause: Cause
    since: int
    until: int
    told: str

    @property
    def lasted(self) -> int:
        """How long."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Station:
    """Something that happened at a time, and what had been waited for before it could."""

    at: int
    what: str
    told: str
    waits: tuple[Wait, ...] = ()


def outages_text(outages: Sequence[Outage], since: int, until: int, stages: Sequence[str]) -> str:
    """Those of these stages that touch that time, in words; empty where there are none."""
    touching = (
        outage
        for outage in outages
        if outage.stage in stages and outage.since < until and (outage.until is None or outage.until > since)
    )
    return "; ".join(map(_text, touching))


def _text(outage: Outage) -> str:
    until = "and not over yet" if outage.until is None else f"until {millis_text(outage.until)}"
    return f"outage of {outage.stage} on record ({outage.fault}), from {millis_text(outage.since)} {until}"
