"""What the clause `drill` remembers: since when the clock runs, and the drill that is under way. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.countdown import Countdown


@dataclass(frozen=True, slots=True)
class Running:
    """A drill that is under way: who runs it, of which scenario, since when, and when it ends by itself (micros)."""

    drill: str
    person: str
    title: str
    began: int
    until: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DrillState:
    """The clock and the drill; ``drilled`` once a drill, rather than the system's first event, has started the clock.

    ``reminded``: since when the clock ran of whose end somebody was reminded.
    """

    clock: Countdown = field(default_factory=Countdown)
    drilled: bool = False
    reminded: int | None = None
    running: Running | None = None
