"""The review of the threshold that a shift asks for: its clock, who is reminded, and what is over with it.

One part of the clause `distribution`; the arithmetic of the clock is `seamwatch.judging.patterns.due`. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.judgement import Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.due import Due, ahead
from seamwatch.judging.patterns.wording import moment_text


class Reviewing(NamedTuple):
    """Who reviews what within which time (micros), as a clause binds a system; of one cohort, or of all (None)."""

    seam: Seam
    clause: str
    severity: Literal["warning", "breach"]
    reviewer: str | None
    within: int | None
    cohort: str | None

    def shifted(self, clock: Due, at: int) -> tuple[Due, tuple[Finding, ...]]:
        """A shift that has opened: the reviewer is told at once, unless the clock runs already."""
        if self.within is None or self.reviewer is None:
            return clock, ()
        after = clock.begun(at)
        if clock.since is not None or after.since is None:
            return after, ()
        return after, (self._asks(at, at + self.within, self.reviewer, "shift"),)

    def reviewed(self, clock: Due, at: int) -> tuple[Due, tuple[Finding, ...]]:
        """A review at event time ``at``, and what is over with it."""
        before, findings = self.turn(clock, at - 1, reminds=False)
        after = before.finished(at)
        if before.out and after.since is None and before.since is not None:
            text = f"{self.seam.system}: {self.reviewer} reviewed the threshold at {moment_text(at)}"
            over = max(at, before.since + (self.within or 0))
            findings += (Resolve(self.severity, _key(before.since), over, slice=self.cohort, summary=text),)
        return after, findings

    def turn(self, clock: Due, until: int, *, reminds: bool = True) -> tuple[Due, tuple[Finding, ...]]:
        """What the clock comes to by event time ``until``."""
        within, reviewer = self.within, self.reviewer
        if clock.since is None:
            return clock, ()
        if within is None or reviewer is None:
            over = (Resolve(self.severity, _key(clock.since), until, slice=self.cohort),) if clock.out else ()
            return Due(done=clock.done), over  # no longer agreed
        end = clock.since + within
        if clock.runs_out(within, until):
            return replace(clock, out=True), (self._late(clock.since, end, within, reviewer),)
        if reminds and clock.remind(within, ahead(within, None), until):
            return replace(clock, reminded=True), (self._asks(clock.since, end, reviewer, "reminder"),)
        return clock, ()

    def deadline(self, clock: Due) -> int | None:
        """When to be asked again."""
        return None if self.within is None else clock.deadline(self.within, ahead(self.within, None))

    def _late(self, since: int, end: int, within: int, reviewer: str) -> Open:
        what = f"the scores of cohort {self.cohort}" if self.cohort else "its scores"
        summary = (
            f"{self.seam.system}: {reviewer} has not reviewed the threshold since {what} shifted at "
            f"{moment_text(since)}; agreed within {format_duration(within)}"
        )
        return Open(self.severity, _key(since), end, summary, slice=self.cohort, since=since, observed=within / SECOND,
                    limit=within / SECOND, unit="s", person=reviewer)  # fmt: skip

    def _asks(self, since: int, end: int, reviewer: str, word: Literal["shift", "reminder"]) -> Remind:
        what = f"{self.seam.system} (cohort {self.cohort})" if self.cohort else self.seam.system
        text = (
            f"{what}: scores shifted at {moment_text(since)}; a review of the threshold "
            f"({self.seam.contract}#{self.clause}) is due by {moment_text(end)}"
        )
        return Remind("reminder", f"{since}/{word}", reviewer, text, end, slice=self.cohort)


def _key(since: int) -> str:
    return f"{since}/review"
