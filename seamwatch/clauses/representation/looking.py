"""One complete window of decisions looked at: which cohort breaks its bounds from now on, and which is within again.

One half of the clause `representation`; the other is `refreshes.py`. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.representation.shares import Shares
from seamwatch.clauses.representation.state import RepresentationState
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import went_outside
from seamwatch.judging.patterns.wording import left_out_text, moment_text


class Looking(NamedTuple):
    """What is agreed of windows; fields as in the clause."""

    severity: Literal["warning", "breach"]
    shares: Shares
    min_count: int
    window: int
    quiet: int | None

    def look(
        self, seam: Seam, state: RepresentationState, whole: Fact
    ) -> tuple[RepresentationState, tuple[Finding, ...]]:
        """The state with one more window, of which ``whole`` is all decisions, and what is found."""
        parts = {cohort: state.fact_of(cohort, whole) for cohort in self.shares.bounds}
        counts = {cohort: part.breaches for cohort, part in parts.items() if part is not None and part.breaches}
        state, missed = self.shares.missed(seam, state, counts, whole.count, whole.window_end)
        if whole.count < self.min_count:
            return state, missed
        stretches = dict(state.stretches)
        findings: list[Finding] = list(missed)
        for cohort, part in parts.items():
            hits = 0 if part is None else part.breaches
            limit = self.shares.broken(cohort, hits, whole.count)
            before = stretches.get(cohort)
            if limit is None:
                if before is not None and before.open:
                    stretches[cohort] = after = before.within(whole.window_start, whole.window, self.quiet)
                    if after.over is not None:
                        findings.append(Resolve(self.severity, str(before.start), after.over, slice=cohort))
                continue
            stretches[cohort] = went_outside(before, whole.window_start, whole.window_end, whole.window, self.quiet)
            if before is None or not before.open:
                evidence = part.evidence if part is not None and hits / whole.count > limit else ()
                findings.append(self._opened(seam, cohort, hits, whole, limit, evidence))
        return replace(state, stretches=tuple(stretches.items())), tuple(findings)

    def _opened(
        self, seam: Seam, cohort: str, hits: int, whole: Fact, limit: float, evidence: tuple[Evidence, ...]
    ) -> Open:
        beside = left_out_text(whole.missing, ("without a cohort",))
        where = f"decisions{beside} in the {format_duration(self.window)} from {moment_text(whole.window_start)}"
        return Open(
            self.severity,
            str(whole.window_start),
            whole.window_end,
            self.shares.sentence(seam, cohort, hits, whole.count, where),
            slice=cohort,
            since=whole.window_start,
            observed=hits / whole.count,
            limit=limit,
            unit="share",
            evidence=evidence,
        )
