"""Clocks for answers: when one reminds, runs out and is forgotten.

What starts one is `announcements.py`, what stops it `answers.py`, what ends it `withdrawals.py`. Pure: states in,
states and findings out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.clauses.change_notice import state as limits
from seamwatch.clauses.change_notice.state import ChangeNoticeState, Clock
from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.judgement import Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is agreed of announcements and answers, and by it what becomes of them; fields as in the clause."""

    severity: Literal["warning", "breach"]
    kinds: tuple[str, ...]
    acknowledgers: tuple[str, ...]
    acknowledge_within: int
    remind_at: tuple[float, ...]
    notice_before: int | None
    quiet: int

    def concerns(self, kind: str) -> bool:
        """Whether a change of this kind starts clocks."""
        return not self.kinds or kind in self.kinds

    def miss(self, seam: Seam, clock: Clock) -> tuple[Clock, Open]:
        """A clock that has run out."""
        allowed = format_duration(self.acknowledge_within)
        summary = (
            f"{seam.system}: {clock.person} has not acknowledged {clock.kind} change {clock.change} within "
            f"{allowed} (announced {moment_text(clock.started)})"
        )
        seconds = self.acknowledge_within / SECOND
        opened = Open(
            self.severity,
            "missed",
            clock.due,
            summary,
            slice=clock.slice,
            since=clock.started,
            observed=seconds,
            limit=seconds,
            unit="s",
            person=clock.person,
            evidence=(clock.evidence,),
        )
        return replace(clock, missed=True), opened

    def times(self, clock: Clock) -> tuple[int, ...]:
        """The event times at which this clock has something to say."""
        if clock.stopped or clock.missed:
            return ()
        return (*self._reminders(clock)[clock.reminded : clock.reminded + 1], clock.due)

    def _reminders(self, clock: Clock) -> list[int]:
        return [clock.started + round(share * (clock.due - clock.started)) for share in sorted(self.remind_at)]

    def run_out(
        self, seam: Seam, state: ChangeNoticeState, until: int
    ) -> tuple[ChangeNoticeState, tuple[Finding, ...]]:
        """What is due by event time ``until``: reminders, clocks that ran out, and what is over."""
        findings: list[Finding] = []
        clocks = []
        for before in state.clocks:
            clock, reminders = self._remind(seam, before, until)
            findings.extend(reminders)
            if not clock.stopped and not clock.missed and clock.due <= until:
                clock, opened = self.miss(seam, clock)
                findings.append(opened)
            if not (clock.stopped and clock.objected is None and clock.due + limits.CLOCK_KEPT < until):
                clocks.append(clock)
        findings.extend(Resolve(self.severity, "notice", at, slice=c) for c, at in state.short if at <= until)
        findings.extend(no_longer_refused(name, at) for name, at in state.refused if at <= until)
        short = tuple(entry for entry in state.short if entry[1] > until)
        refused = tuple(entry for entry in state.refused if entry[1] > until)
        return replace(state, clocks=tuple(clocks), short=short, refused=refused), tuple(findings)

    def _remind(self, seam: Seam, clock: Clock, until: int) -> tuple[Clock, list[Remind]]:
        due = [] if clock.stopped else [at for at in self._reminders(clock)[clock.reminded :] if at <= until]
        reminders = []
        for number, at in enumerate(due, clock.reminded + 1):
            left = format_duration(clock.due - at)
            text = f"{seam.system}: {clock.kind} change {clock.change} waits for you; {left} left to acknowledge"
            reminders.append(
                Remind("reminder", f"{clock.slice}/{number}", clock.person, text, clock.due, slice=clock.slice)
            )
        return replace(clock, reminded=clock.reminded + len(due)), reminders


def no_longer_refused(name: str, at: int) -> Resolve:
    """The end of a warning that a withdrawal is void, by its name in the state."""
    withdrawal, event_id, change = name.split("/", 2)
    return Resolve("warning", f"{withdrawal}/{event_id}", at, slice=change)
