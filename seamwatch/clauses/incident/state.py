"""What the clause `incident` remembers: what was said of each violation, what was told of it, and how much is kept.

Values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence

CASES_KEPT: Final = 100
WORDS_KEPT: Final = 30
EARLY_FOR: Final = 30 * DAY

Says = Literal["declared", "withdrawn", "initial", "complete"]


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of a violation: that it is an incident, that it is none, or that its report was sent.

    Of a declaration ``kind`` is that of the incident, ``since`` when its clock began and ``due`` when that ends; of
    an initial report ``due`` is when the complete one is asked for, None where nothing says. ``evidence`` is where the
    word itself is, None in a state from before it was kept.
    """

    says: Says
    person: str
    at: int
    event_id: str
    kind: str = ""
    since: int = 0
    due: int | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one clock: until when it ran when it was found overdue, whether that is over, and reminders.

    ``reminded`` counts those of the clock as it ended at ``reminded_of``.
    """

    key: str
    missed: int | None = None
    over: bool = False
    reminded_of: int | None = None
    reminded: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What was said of one violation, in the order of event time, and what was told of its clocks.

    ``judged`` is up to which of the times at which anything changes that was (micros).
    """

    violation_id: str
    words: tuple[Word, ...] = ()
    told: tuple[Told, ...] = ()
    judged: int = 0


@dataclass(frozen=True, slots=True)
class IncidentState:
    """The violations of which anything was said, in the order in which it was first."""

    cases: tuple[Case, ...] = ()
