"""One complete window looked at: what begins with it on the side that it breaks, and what is over on the other.

One part of the clause `signal`. Pure: the sides so far in, the sides and findings out.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from seamwatch.clauses.signal.readings import Bounds, Reading
from seamwatch.clauses.signal.state import Side, SignalState
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import Stretch, went_outside
from seamwatch.judging.patterns.wording import left_out_text, moment_text, number_text, share_text


class Looking(NamedTuple):
    """What is agreed of windows; ``left_out`` is why events are left out, in words, in order."""

    severity: Literal["warning", "breach"]
    bounds: Bounds
    window: int
    quiet: int | None
    left_out: tuple[str, ...]

    def look(
        self, seam: Seam, state: SignalState, fact: Fact, cohort: str | None
    ) -> tuple[tuple[tuple[Side, Stretch], ...], tuple[Finding, ...]]:
        """The last episode on each side with one more window, and what is found."""
        reading, sides = self.bounds.reading(state.reference, fact), dict(state.sides)
        findings: tuple[Finding, ...] = ()
        if reading is None:
            return state.sides, findings
        for side, broken in state.sides:
            if side != reading.side and broken.open:
                sides[side] = after = broken.within(fact.window_start, fact.window, self.quiet)
                if after.over is not None:
                    findings += (Resolve(self.severity, str(broken.start), after.over, slice=cohort),)
        if reading.side is not None:
            before = sides.get(reading.side)
            sides[reading.side] = went_outside(before, fact.window_start, fact.window_end, fact.window, self.quiet)
            if before is None or not before.open:
                findings += (self._opened(seam, reading, reading.side, fact, cohort),)
        return tuple(sides.items()), findings

    def _opened(self, seam: Seam, reading: Reading, side: Side, fact: Fact, cohort: str | None) -> Open:
        latency = self.bounds.signal == "latency"
        limit = self.bounds.max if side == "above" else self.bounds.min
        agreed = f"{number_text(limit, limit)} ms" if latency else share_text(limit or 0, limit)
        who = f"{seam.system} ({'cohort ' + cohort if cohort else 'no cohort'})" if self.bounds.by else seam.system
        beside = left_out_text(fact.missing, self.left_out)
        summary = (
            f"{who}: {reading.text(beside)} in the {format_duration(self.window)} from "
            f"{moment_text(fact.window_start)}; agreed at {'most' if side == 'above' else 'least'} {agreed}"
        )
        return Open(
            self.severity,
            str(fact.window_start),
            fact.window_end,
            summary,
            slice=cohort,
            since=fact.window_start,
            observed=reading.value,
            limit=limit,
            unit="ms" if latency else "share",
            evidence=self._evidence(fact, side),
        )

    def _evidence(self, fact: Fact, side: Side) -> tuple[Evidence, ...]:
        # Too few of something cannot be shown by those that there are; wrong outcomes show too little accuracy.
        return fact.evidence if (side == "below") == (self.bounds.signal == "accuracy") else ()
