"""Countdowns: clocks that an event restarts, and that run out in silence.

The arithmetic of one clock only; what it counts and the words are the clause's. Judged by event time: a clock that
ran out before the event that restarts it ran out, whether or not anybody had asked in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.judging.model.facts import Evidence


@dataclass(frozen=True, slots=True)
class Countdown:
    """A clock: since when it runs (None: not started), who told, and whether it has run out, and when."""

    started: int | None = None
    told_by: Evidence | None = None
    out: bool = False
    out_at: int | None = None

    def due(self, allowed: int) -> int | None:
        """The event time at which it runs out; None when it does not run or has run out."""
        return None if self.started is None or self.out else self.started + allowed


@dataclass(frozen=True, slots=True)
class Tick:
    """A clock that ran out (``out``) at event time ``at``, or one that had and was restarted (``over``)."""

    what: Literal["out", "over"]
    started: int
    at: int
    told_by: Evidence | None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What started the clock."""
        return () if self.told_by is None else (self.told_by,)


def run_out(clock: Countdown, allowed: int, until: int) -> tuple[Countdown, tuple[Tick, ...]]:
    """The clock at event time ``until``."""
    due = clock.due(allowed)
    if due is None or clock.started is None or due > until:
        return clock, ()
    return replace(clock, out=True, out_at=due), (Tick("out", clock.started, due, clock.told_by),)


def restart(clock: Countdown, at: int, told_by: Evidence | None, allowed: int) -> tuple[Countdown, tuple[Tick, ...]]:
    """The clock restarted at event time ``at``; an older restart than the last changes nothing."""
    clock, ticks = run_out(clock, allowed, at - 1)
    if clock.started is not None and at <= clock.started:
        return clock, ticks
    if clock.out and clock.started is not None:
        # One that arrives after its clock ran out here, although it was made before, ends it at once.
        ended = max(at, clock.started + allowed if clock.out_at is None else clock.out_at)
        ticks += (Tick("over", clock.started, ended, clock.told_by),)
    return Countdown(at, told_by), ticks
