"""Refreshes of a data set: the shares of the rows that each reports, and why they cannot be judged.

One half of the clause `representation`; the other is `looking.py`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.representation.shares import Shares
from seamwatch.clauses.representation.state import RepresentationState
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import Judgement
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.faults import Fault, evidence_of, follow
from seamwatch.judging.patterns.spelling import difference, meant
from seamwatch.judging.patterns.wording import left_out_text, moment_text

_SPELT_OTHERWISE_KEPT = 100


class Refreshes(NamedTuple):
    """What is agreed of refreshes; ``warns`` says whether it is told that shares cannot be judged."""

    severity: Literal["warning", "breach"]
    shares: Shares
    min_count: int
    warns: bool

    def judge(self, seam: Seam, state: RepresentationState, event: ForwardedEvent) -> Judgement:
        """One refresh."""
        evidence = evidence_of(event)
        at, newest = evidence.event_time, state.newest
        counts: dict[str, int] = {}
        for entry in event.record["cohorts"]:
            counts[entry["cohort"]] = counts.get(entry["cohort"], 0) + int(entry["count"])
        total = sum(counts.values())
        shown = self._unchecked(seam, event, counts, total)
        unchecked, findings = follow(state.unchecked, at, shown, severity="warning", newest=newest)
        state = replace(state, unchecked=unchecked, newest=at if newest is None else max(at, newest))
        if total < self.min_count:
            return Judgement(state, findings)
        shown = []
        for cohort in self.shares.bounds:
            hits = counts.get(cohort, 0)
            limit = self.shares.broken(cohort, hits, total)
            if limit is not None:
                rows = event.record["row_count"]
                beside = left_out_text((max(0, (rows or total) - total),), ("rows of no cohort",))
                where = f"rows{beside} of the refresh of {moment_text(at)}"
                summary = self.shares.sentence(seam, cohort, hits, total, where)
                what = "few" if hits / total < limit else "many"
                shown.append(Fault(summary, (evidence,), cohort, what, hits / total, limit, "share"))
        faults, more = follow(state.faults, at, shown, severity=self.severity, newest=newest)
        state, findings = replace(state, faults=faults), findings + more
        if newest is None or at >= newest:
            state, more = self.shares.missed(seam, state, counts, total, at, (evidence,))
            findings += more
        return Judgement(state, findings)

    def _unchecked(self, seam: Seam, event: ForwardedEvent, counts: Mapping[str, int], total: int) -> list[Fault]:
        """Why shares of a refresh cannot be judged, or not all of them."""
        if not self.warns:
            return []
        evidence, rows = (evidence_of(event),), event.record["row_count"]
        when = moment_text(evidence[0].event_time)
        shown: list[Fault] = []
        if total < self.min_count and (rows is None or rows >= self.min_count):
            of = "its rows" if rows is None else f"its {rows:,} rows"
            text = (
                f"{seam.system}: the refresh of {when} names a cohort for {total:,} of {of}; shares are judged from "
                f"{self.min_count:,} on: not judged"
            )
            shown.append(Fault(text, evidence, seam.system, "unjudged"))
        agreed = {meant(cohort): cohort for cohort in self.shares.bounds}
        for cohort in sorted(counts.keys() - self.shares.bounds.keys()):
            if meant(cohort) in agreed and len(shown) < _SPELT_OTHERWISE_KEPT:
                text = (
                    f"{seam.system}: the refresh of {when} reports cohort {cohort!r}, which differs from the agreed "
                    f"{agreed[meant(cohort)]!r} {difference(cohort, agreed[meant(cohort)])}"
                )
                shown.append(Fault(text, evidence, cohort, "spelt"))
        return shown
