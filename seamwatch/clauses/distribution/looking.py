"""One window looked at beside the reference: the bets, what they find, and what that asks of a reviewer.

One part of the clause `distribution`; the arithmetic is `seamwatch.judging.patterns.watch`. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.distribution.review import Reviewing
from seamwatch.clauses.distribution.state import DistributionState, without_score
from seamwatch.clauses.distribution.words import absent_text, moved_text
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.patterns.watch import Alarm, Rule, look
from seamwatch.statistics.histograms import Reference


class Looking(NamedTuple):
    """What is agreed of how scores are compared; ``bounds`` and ``missing`` as `range` and `missing` of the clause."""

    severity: Literal["warning", "breach"]
    rule: Rule
    bounds: tuple[float, float]
    missing: bool

    def look(
        self, reviewing: Reviewing, state: DistributionState, reference: Reference, window: Fact
    ) -> tuple[DistributionState, tuple[Finding, ...]]:
        """The bets with one more complete window; a shift opens, and starts the reviewer's clock, or is over."""
        references, counts = [reference], [window.histogram]
        if self.missing and reference.absence is not None:
            # A decision without a score is a bin of its own: beside the scores, so that these are compared as before.
            references.append(reference.absence)
            counts.append((sum(window.histogram), without_score(window)))
        elif not any(window.histogram):
            return state, ()
        before = state.watch
        watch, alarm, over = look(before, references, counts, window.window_start, self.rule)
        state = state.watched(watch)
        if alarm is not None:
            found = (self._found(reviewing, alarm, window),)
            if before.opened is not None:
                return state, found
            clock, asked = reviewing.shifted(state.review, window.window_end)
            return replace(state, review=clock), found + asked
        if over:
            return state, (Resolve(self.severity, str(before.opened), window.window_end, slice=reviewing.cohort),)
        return state, ()

    def _found(self, reviewing: Reviewing, alarm: Alarm, window: Fact) -> Open:
        system, cohort, reviewer = reviewing.seam.system, reviewing.cohort, reviewing.reviewer
        who = f"{system} (cohort {cohort})" if cohort else system
        bins, floor = len(window.histogram), self.rule.floor
        what = moved_text(alarm, self.bounds, bins, floor) if alarm.histogram == 0 else absent_text(alarm, floor)
        return Open(
            self.severity,
            str(window.window_start),
            window.window_end,
            f"{who}: {what}" + (f"; {reviewer} reviews the threshold" if reviewer else ""),
            slice=cohort,
            since=alarm.since,
            observed=alarm.shift.now,
            limit=alarm.shift.limit,
            unit="share",
        )
