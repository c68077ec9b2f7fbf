"""Refreshes, each on its own: the rows that it has, or that it does not say how many.

One part of the clause `volume`; windows of refreshes are looked at in `looking.py`. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.volume.bounds import Bounds
from seamwatch.clauses.volume.state import VolumeState
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import Finding, Judgement
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.faults import Fault, evidence_of, follow
from seamwatch.judging.patterns.wording import moment_text


class Refreshes(NamedTuple):
    """What is agreed of refreshes."""

    severity: Literal["warning", "breach"]
    bounds: Bounds

    def judge(self, seam: Seam, state: VolumeState, event: ForwardedEvent) -> Judgement:
        """One refresh, where it is looked at by itself."""
        evidence, rows = evidence_of(event), event.record["row_count"]
        at, newest = evidence.event_time, state.newest
        state, unsaid = not_said(seam, state, event)
        if rows is None:
            return Judgement(state, unsaid)
        side = self.bounds.side(rows)
        shown: list[Fault] = []
        if side:
            limit, word = self.bounds.limit(rows)
            text = f"{seam.system}: the refresh of {moment_text(at)} has {rows:,} rows; agreed at {word} {limit:,}"
            what = "few" if side < 0 else "many"
            shown = [Fault(text, (evidence,), seam.system, what, observed=rows, limit=limit, unit="rows")]
        faults, findings = follow(state.faults, at, shown, severity=self.severity, newest=newest)
        return Judgement(replace(state, faults=faults), unsaid + findings)


def not_said(seam: Seam, state: VolumeState, event: ForwardedEvent) -> tuple[VolumeState, tuple[Finding, ...]]:
    """Told when a refresh does not say how many rows it has, until one does."""
    evidence = evidence_of(event)
    at, shown = evidence.event_time, []
    if event.record["row_count"] is None:
        text = f"{seam.system}: the refresh of {moment_text(at)} does not say how many rows it has: not judged"
        shown = [Fault(text, (evidence,), seam.system, "unknown")]
    unknown, findings = follow(state.unknown, at, shown, severity="warning", newest=state.newest)
    newest = at if state.newest is None else max(at, state.newest)
    return replace(state, unknown=unknown, newest=newest), findings
