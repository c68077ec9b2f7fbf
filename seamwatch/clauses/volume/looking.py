"""Windows looked at, in order, those in which nothing came too: what begins and ends outside the agreed numbers.

One part of the clause `volume`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from seamwatch.clauses.volume.bounds import Bounds
from seamwatch.clauses.volume.state import NEVER, REFRESHES, VolumeState
from seamwatch.durations import format_duration
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.judgement import Finding, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import Stretch, went_outside
from seamwatch.judging.patterns.windows import MOST_WINDOWS, Windows, earliest
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class _Counted:
    """So many equal windows, one after the other from ``start`` on, and the number in each."""

    start: int
    number: int
    times: int = 1
    unknown: int = 0
    """Refreshes in it of which nobody knows how many rows they have."""
    evidence: tuple[Evidence, ...] = ()


class Looking(NamedTuple):
    """What is agreed of windows of ``per`` micros; the rest as in the clause."""

    severity: Literal["warning", "breach"]
    bounds: Bounds
    per: int
    quiet: int | None

    def judge(self, seam: Seam, state: VolumeState, moment: Moment, late: int) -> Judgement:
        """Each window whose time has come; ``late`` is handed on."""
        per, windows, sides = self.per, state.windows, self._kept(state)
        findings: tuple[Finding, ...] = ()
        while True:
            first = windows.filling[0] if windows.filling else None
            too_many = len(windows.filling) > MOST_WINDOWS
            start = windows.done if windows.done > NEVER else first.start if first is not None else None
            if start is None:
                return Judgement(None, late=late)
            if first is not None and first.start < start + per:
                if not too_many and not first.complete(moment):
                    break
                # Of refreshes those breach that do not say how many rows they have.
                unknown = first.fact.breaches if moment.slice == REFRESHES else 0
                now = _Counted(first.start, first.fact.count, unknown=unknown, evidence=first.fact.evidence)
                windows = Windows(windows.filling[1:], first.end)
            else:
                # Nothing came from ``start`` on; all empty windows in a row say the same as the first of them.
                until = moment.watermark if first is None else min(moment.watermark, first.start)
                until = first.start if first is not None and too_many else until
                if until < start + per:
                    break
                now = _Counted(start, 0, (until - start) // per)
                windows = replace(windows, done=start + now.times * per)
            sides, more = self._judged(seam, sides, now, moment.slice)
            findings += more
        silent = self.bounds.side(0)
        begins = silent != 0 and (silent not in sides or not sides[silent].open)
        changes = begins or any(stretch.open and side != silent for side, stretch in sides.items())
        silence = start + per if changes else None
        ends = (first.end if first is not None else None, silence)
        deadline = earliest(*(end for end in ends if end is not None and end > moment.watermark))
        state = replace(state, windows=windows, outside=None, sides=tuple(sides.items()))
        return Judgement(state, findings, deadline, windows.wake(moment), late)

    def _kept(self, state: VolumeState) -> dict[int, Stretch]:
        if state.outside is None:
            return dict(state.sides)
        start = state.outside.start
        return {self.bounds.side(state.outside.number): Stretch(start, max(start + self.per, state.windows.done))}

    def _judged(
        self, seam: Seam, before: Mapping[int, Stretch], now: _Counted, part: str | None
    ) -> tuple[dict[int, Stretch], tuple[Finding, ...]]:
        named = seam.system if part == REFRESHES else None
        per, here, sides = self.per, self.bounds.side(now.number), dict(before)
        if now.unknown and here != 1 and (here == -1 or self.bounds.max is not None):
            return sides, ()  # there are that many at least
        findings: tuple[Finding, ...] = ()
        for side, stretch in before.items():
            if side != here and stretch.open:
                sides[side] = after = stretch.within(now.start, per, self.quiet, now.times)
                if after.over is not None:
                    findings += (Resolve(self.severity, str(stretch.start), after.over, slice=named),)
        if here:
            episode = sides.get(here)
            sides[here] = went_outside(episode, now.start, now.start + now.times * per, per, self.quiet)
            if episode is None or not episode.open:
                findings += (self._outside(seam, now, part),)
        return sides, findings

    def _outside(self, seam: Seam, now: _Counted, part: str | None) -> Open:
        per = self.per
        limit, word = self.bounds.limit(now.number)
        things = "rows" if part == REFRESHES else "events"
        summary = (
            f"{seam.system}: {now.number:,} {things} in the {format_duration(per)} from {moment_text(now.start)}; "
            f"agreed at {word} {limit:,}"
        )
        return Open(
            self.severity,
            str(now.start),
            now.start + per,
            summary,
            slice=seam.system if part == REFRESHES else None,
            since=now.start,
            observed=now.number,
            limit=limit,
            unit=things,
            evidence=now.evidence,
        )
