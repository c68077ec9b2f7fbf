"""One minute's outcomes looked at: the error over all of a version, and over the newest of them.

One part of the clause `calibration`. Pure: tallies in, tallies and findings out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.clauses.calibration.state import Tally
from seamwatch.clauses.calibration.words import Words
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.calm import Stretch, went_outside
from seamwatch.judging.patterns.newest import Newest


class Looking(NamedTuple):
    """What is agreed of how outcomes are judged; fields as in the clause."""

    severity: Literal["warning", "breach"]
    min_outcomes: int
    recent: int | Literal["none"]
    quiet: int | None
    words: Words

    def looked(self, seam: Seam, tally: Tally, moment: Moment, most: int, findings: list[Finding]) -> Tally:
        """With each minute that is complete, of so many that may wait; what is found is added to ``findings``."""
        complete, windows = tally.windows.take_complete(moment, most)
        tally = replace(tally, windows=windows)
        for window in complete:
            tally = self._look(seam, tally, window, moment.slice, findings)
            tally = self._look_at_newest(seam, tally, window, moment.slice, findings)
        return tally

    def counted(self, tally: Tally, window: Fact) -> Tally:
        """With a minute's outcomes, which are not looked at by themselves."""
        return tally.plus(window, self.words.bins, newest=self.recent != "none")

    def _look(self, seam: Seam, tally: Tally, window: Fact, cohort: str | None, findings: list[Finding]) -> Tally:
        tally = self.counted(tally, window)
        if tally.reliability.size < self.min_outcomes:
            return tally
        error, max_error = tally.reliability.error(), self.words.max_error
        if error <= max_error + 1e-12:
            return self._within(tally, window, cohort, findings)
        odd = tally.left_out[0] if tally.left_out else 0
        size = tally.reliability.size
        if (error * size - odd) / (size + odd) <= max_error + 1e-12:
            # Of those with a label of another convention none could add more than one to the sum of errors, nor take
            # more away: whether the error is above what was agreed depends on what they mean.
            return tally
        stretch = went_outside(tally.stretch, window.window_start, window.window_end, window.window, self.quiet)
        tally = replace(tally, stretch=stretch)
        if tally.opened is not None and abs(error - tally.told) < 0.001:
            return tally
        opened = window.last_time if tally.opened is None else tally.opened
        tally = replace(tally, opened=opened, told=error)
        findings.append(
            Open(
                self.severity,
                tally.key,
                opened,
                self.words.over_all(seam, tally, cohort),
                slice=cohort,
                since=tally.first,
                observed=error,
                limit=max_error,
                unit="probability",
            )
        )
        return tally

    def _look_at_newest(
        self, seam: Seam, tally: Tally, window: Fact, cohort: str | None, findings: list[Finding]
    ) -> Tally:
        if self.recent == "none":
            if tally.newest.opened is not None:  # an earlier version of the contract looked at them
                findings.append(Resolve(self.severity, tally.key_of_newest, window.last_time, slice=cohort))
            return replace(tally, newest=Newest())
        newest, these = tally.newest.turned(self.recent)
        tally = replace(tally, newest=newest)
        if these is None or tally.reliability.size < self.min_outcomes:
            return tally
        error, count, max_error = these.reliability.error(), these.reliability.size, self.words.max_error
        if newest.opened is not None:
            if error - these.reliability.chance() <= max_error:
                findings.append(Resolve(self.severity, tally.key_of_newest, window.last_time, slice=cohort))
                tally = replace(tally, newest=replace(newest, opened=None))
            return tally
        sure = these.reliability.interval()[0] > max_error
        if tally.opened is not None or not sure or (error * count - these.odd) / (count + these.odd) <= max_error:
            return tally
        tally = replace(tally, newest=replace(newest, opened=window.last_time))
        findings.append(
            Open(
                self.severity,
                tally.key_of_newest,
                window.last_time,
                self.words.over_newest(seam, tally, these, cohort),
                slice=cohort,
                since=these.first,
                observed=error,
                limit=max_error,
                unit="probability",
            )
        )
        return tally

    def _within(self, tally: Tally, window: Fact, cohort: str | None, findings: list[Finding]) -> Tally:
        if tally.opened is None:
            return tally
        episode = tally.stretch or Stretch(window.window_start, window.window_start)
        stretch = episode.within(window.window_start, window.window, self.quiet)
        if stretch.open:
            return replace(tally, stretch=stretch)
        findings.append(Resolve(self.severity, tally.key, window.last_time, slice=cohort))
        return replace(tally, opened=None, stretch=stretch)
