"""What the clause `reevaluation` keeps: what asks for an evaluation, which were made, and what is open. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.announcements import Announced
from seamwatch.judging.patterns.faults import Fault

RUNNING_KEPT: Final = 100
"""How many reasons for an evaluation are kept: of more, those that are due last have no say anyway."""
WAITING_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an evaluation is due: ``what`` (`model`, `distribution`, …) of which ``name`` since ``at``, by ``due``."""

    what: str
    name: str
    at: int
    due: int
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that counts in the order of its event time: an evaluation, a reason, or that one was withdrawn.

    A reason's ``name`` is its own, of what was withdrawn that of the reason; ``why`` says so in words.
    """

    at: int
    what: str
    name: str = ""
    reason: Reason | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is open: its key, since when, and which reason's it is; ``name`` is empty where the period is over."""

    key: str
    at: int
    name: str


@dataclass(frozen=True, slots=True)
class ReevaluationState:
    """The clock, and what was found of values.

    - ``started``: the system's first event; ``evaluated``: when it was evaluated last, as far as time has got.
    - ``running``: the reasons that no evaluation has covered; ``waiting``: what event time has not reached.
    - ``reminded``: for which due time those who evaluate were reminded.
    - ``heard``: by the stream's clock, when something that counts was heard of last.
    - ``faults``: values that are worse than agreed; ``unknown``: those that could not be compared; ``newest``: of when.
    """

    started: int | None = None
    evaluated: int | None = None
    running: tuple[Reason, ...] = ()
    waiting: tuple[Noted, ...] = ()
    overdue: Overdue | None = None
    reminded: int | None = None
    heard: int | None = None
    faults: tuple[Fault, ...] = ()
    unknown: tuple[Fault, ...] = ()
    newest: int | None = None
    announced: Announced = ()
