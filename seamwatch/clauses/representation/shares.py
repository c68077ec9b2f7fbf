"""The agreed shares: which bound a cohort breaks, in which words, and which cohort comes no longer.

What both halves of the clause `representation`, decisions and data sets, stand on. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.representation.state import RepresentationState
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.intervals import interval_text
from seamwatch.judging.patterns.presence import Presence, seen
from seamwatch.judging.patterns.wording import moment_text, share_text


class Shares(NamedTuple):
    """What is agreed of each cohort.

    - ``bounds``: lowest and highest share by cohort.
    - ``things``: of what they are shares.
    - ``quiet``: after how long (micros) without a cohort it is told that it is missed; None for never.
    """

    bounds: Mapping[str, tuple[float, float]]
    things: Literal["rows", "decisions"]
    quiet: int | None

    def broken(self, cohort: str, hits: int, total: int) -> float | None:
        """The bound that a share breaks; compared as numbers of rows, since shares of whole numbers round."""
        low, high = self.bounds[cohort]
        if hits < low * total - 1e-9 * total:
            return low
        return high if hits > high * total + 1e-9 * total else None

    def sentence(self, seam: Seam, cohort: str, hits: int, total: int, where: str) -> str:
        """What a share is, of what (``where``, in words), and what is agreed."""
        low, high = self.bounds[cohort]
        return (
            f"{seam.system}: cohort {cohort!r} makes up {interval_text(hits, total, low, high)} {where}; agreed "
            f"{share_text(low, low)} to {share_text(high, high)}"
        )

    def missed(
        self,
        seam: Seam,
        state: RepresentationState,
        counts: Mapping[str, int],
        total: int,
        at: int,
        evidence: tuple[Evidence, ...] = (),
    ) -> tuple[RepresentationState, tuple[Finding, ...]]:
        """Which listed cohorts no longer come, after so many more rows or decisions up to ``at``."""
        findings: list[Finding] = []
        present: list[tuple[str, Presence]] = []
        before = dict(state.present)
        for cohort in self.bounds:
            last_seen = before.pop(cohort, None)
            now = seen(last_seen, counts.get(cohort, 0), total, at, named=cohort in counts)
            if now is None:
                continue
            if last_seen is not None and last_seen.gone is not None and now.gone is None:
                findings.append(Resolve("warning", f"{last_seen.gone}/unreported", at, slice=cohort))
            covered = now.gone is not None or self.broken(cohort, 0, total) is not None
            if self.quiet is not None and not covered and now.missed(at, self.quiet):
                findings.append(self._gone(seam, cohort, now, at, evidence))
                now = now.reported()
            present.append((cohort, now))
        for cohort, last_seen in before.items():  # no longer agreed
            if last_seen.gone is not None:
                findings.append(Resolve("warning", f"{last_seen.gone}/unreported", at, slice=cohort))
        return replace(state, present=tuple(present)), tuple(findings)

    def _gone(self, seam: Seam, cohort: str, presence: Presence, at: int, evidence: tuple[Evidence, ...]) -> Open:
        summary = (
            f"{seam.system}: cohort {cohort!r} is no longer reported since {moment_text(presence.last)}, among "
            f"{presence.since:,} {self.things}; it made up {share_text(presence.hits / presence.of)} before"
        )
        return Open(
            "warning", f"{presence.last}/unreported", at, summary, slice=cohort, since=presence.last, evidence=evidence
        )
