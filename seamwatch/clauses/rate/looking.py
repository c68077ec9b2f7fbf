"""Windows looked at, in order: which exceed what was agreed, and when an episode of them is over.

One part of the clause `rate`; conversations are counted by `seamwatch.judging.patterns.tallies`. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from seamwatch.clauses.rate.exceeding import Exceeding
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Judgement, Moment, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import Stretch, quiet_of, went_outside
from seamwatch.judging.patterns.tallies import Tallies, Tally
from seamwatch.judging.patterns.windows import MOST_WINDOWS, earliest

EVENTS_KEPT = 10_000


def _too_many(tallies: Sequence[Tally]) -> bool:
    """Whether so many windows wait that the oldest is complete as it is; never the only one."""
    events = sum(len(tally.events) for tally in tallies)
    return len(tallies) > MOST_WINDOWS or (len(tallies) > 1 and events > EVENTS_KEPT)


class Looking(NamedTuple):
    """What is agreed of windows of so many micros; ``quiet`` as in the clause."""

    exceeding: Exceeding
    window: int
    quiet: int | None

    def judge(self, seam: Seam, state: Tallies, fact: Fact | None, moment: Moment) -> Judgement:
        """Counts a fact, and looks at each window whose time has come; the state is `Tallies`."""
        state, late = self._with(state, fact, moment)
        stretch, done = self._kept_stretch(state), state.done
        findings: list[Finding] = []
        waits: list[int] = []
        left = list(state.tallies)
        while left:
            tally = left[0]
            complete = tally.complete(moment) or _too_many(left)
            if moment.watermark < tally.start and not complete:
                # A window before it may still be found to exceed, and would name the episode.
                waits.append(tally.start)
                break
            if tally.count > self.exceeding.max and (complete or self.exceeding.exact):
                if stretch is not None and stretch.open and tally.start >= self._over_at(stretch):
                    stretch = self._quieted(stretch, moment, findings)
                stretch = went_outside(stretch, tally.start, tally.end, tally.window, self.quiet)
                if stretch.start == tally.start:
                    findings.append(
                        self.exceeding.found(seam, str(stretch.start), tally, moment.slice, exact=not complete)
                    )
            if not complete:
                break
            done = max(done, tally.end)
            left.pop(0)
        if stretch is not None and stretch.open:
            over = self._over_at(stretch)
            if moment.watermark >= over and not (left and left[0].start < over):
                stretch = self._quieted(stretch, moment, findings)
            else:
                waits.append(over)
        if stretch is not None and stretch.over is not None:
            # Until then it flaps if it begins again.
            forgotten = stretch.over + quiet_of(None, self.window, max(1, stretch.flaps))
            waits.append(forgotten)
            stretch = None if moment.watermark >= forgotten and not left else stretch
        waits += [tally.end for tally in left]
        unsettled = [tally.seen + moment.settle for tally in left if moment.now - tally.seen < moment.settle]
        kept = Tallies(tuple(left), done, stretch=stretch) if left or stretch is not None else None
        deadline = earliest(*(time for time in waits if time > moment.watermark))
        return Judgement(kept, tuple(findings), deadline, min(unsettled, default=None), late)

    def _quieted(self, stretch: Stretch, moment: Moment, findings: list[Finding]) -> Stretch:
        over = self._over_at(stretch)
        findings.append(Resolve(self.exceeding.severity, str(stretch.start), over, slice=moment.slice))
        return replace(stretch, over=over)

    def _kept_stretch(self, state: Tallies) -> Stretch | None:
        # An earlier release kept the run's first and last window alone.
        return state.stretch if state.first is None else Stretch(state.first, state.until)

    def _with(self, state: Tallies, fact: Fact | None, moment: Moment) -> tuple[Tallies, int]:
        if fact is None:
            return state, 0
        if fact.window_end <= state.done:
            return state, 1
        tallies = {(tally.start, tally.window): tally for tally in state.tallies}
        place = (fact.window_start, fact.window)
        before = tallies.get(place) or Tally(*place, 0, fact.last_time, moment.now, ())
        tallies[place] = before.with_fact(fact, moment, self.exceeding.kept)
        return replace(state, tallies=tuple(tallies[key] for key in sorted(tallies))), 0

    def _over_at(self, stretch: Stretch) -> int:
        # In whole windows, one at least: one that has not exceeded so far may still do so.
        quiet = quiet_of(self.quiet, self.window, stretch.flaps)
        return stretch.until + max(1, -(-quiet // self.window)) * self.window
