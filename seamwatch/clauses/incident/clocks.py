"""Clocks of reports: when one reminds, when a report is overdue, and when that is over.

One part of the clause `incident`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.clauses.incident.standing import Clock, Round, standing_of
from seamwatch.clauses.incident.state import Case, IncidentState, Told
from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.judgement import Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is agreed of reports, and by it what becomes of them; fields as in the clause."""

    severity: Literal["warning", "breach"]
    clause: str
    by: str
    remind_at: tuple[float, ...]

    def run_out(self, seam: Seam, state: IncidentState, until: int) -> tuple[IncidentState, tuple[Finding, ...]]:
        """What is due by event time ``until``: reminders, what is overdue, and what of that is over."""
        findings: list[Finding] = []
        cases = tuple(self._run_out(seam, case, until, findings) for case in state.cases)
        return replace(state, cases=cases), tuple(findings)

    def deadline(self, state: IncidentState, until: int) -> int | None:
        """When to be asked again, after ``until``."""
        return earliest(*(at for case in state.cases for at in self._times(case, until)))

    def ended(self, seam: Seam, case: Case, at: int) -> tuple[Finding, ...]:
        """The end of what is overdue of a violation that is followed no longer."""
        text = f"{seam.system}: the incident {_named(case)} is followed no longer, too many came after it"
        return tuple(
            Resolve(self.severity, told.key, max(at, told.missed), slice=case.violation_id, summary=text)
            for told in case.told
            if told.missed is not None and not told.over
        )

    def _run_out(self, seam: Seam, case: Case, until: int, findings: list[Finding]) -> Case:
        """Judged at each time at which anything changes, by what was said until then, and by what was heard late."""
        # In a backfill no time is told to have passed.
        at, until = case.judged, max(until, case.judged)
        while (after := _next(case, at)) is not None and after <= until:
            at = after
            case = self._judged(seam, replace(case, judged=at), at, findings)
        case = self._judged(seam, case, until, findings)
        known = {told.key: told for told in case.told}
        for one, clock in _running(case, until):
            told = self._reminded(seam, case, one, clock, known.get(clock.key, Told(clock.key)), until, findings)
            known[clock.key] = told
        return replace(case, told=tuple(known.values()))

    def _judged(self, seam: Seam, case: Case, at: int, findings: list[Finding]) -> Case:
        known = {told.key: told for told in case.told}
        after: dict[str, Told] = {}
        for one, clock in _running(case, at):
            told = known.pop(clock.key, Told(clock.key))
            after[clock.key] = self._missed(seam, case, one, clock, told, at, findings)
        # What was heard late may leave no place for a clock that was told of.
        for told in known.values():
            if told.missed is not None and not told.over:
                text = f"{seam.system}: no report of {_named(case)} was owed by then, as was heard since"
                over = max(at, told.missed)
                findings.append(Resolve(self.severity, told.key, over, slice=case.violation_id, summary=text))
        return replace(case, told=tuple(after.values()))

    def _missed(
        self, seam: Seam, case: Case, one: Round, clock: Clock, told: Told, until: int, findings: list[Finding]
    ) -> Told:
        """What is overdue, told once and again where its clock is another; and its end."""
        if told.over:
            return told
        if clock.missed(until) and told.missed != clock.due:
            findings.append(self._open(seam, case, one, clock))
            told = replace(told, missed=clock.due)
        if clock.ended is not None and told.missed is not None:
            at = max(clock.ended.at, clock.due)
            text = f"{seam.system}: {_end_text(case, clock)}"
            findings.append(Resolve(self.severity, clock.key, at, slice=case.violation_id, summary=text))
            told = replace(told, over=True)
        return told

    def _open(self, seam: Seam, case: Case, one: Round, clock: Clock) -> Open:
        allowed = (clock.due - clock.since) / SECOND
        begun = "since when it is known" if clock.what == "report" else "when the initial one was sent"
        text = (
            f"{seam.system}: {self.by} has not sent the {clock.what} of {_named(case)}, which {one.declared.person} "
            f"declared an incident ({one.kind}), by {moment_text(clock.due)}, {_time(clock.due - clock.since)} after "
            f"{moment_text(clock.since)}, {begun}"
        )
        evidence = one.declared.evidence or Evidence(one.declared.at, one.declared.event_id)
        return Open(
            self.severity, clock.key, clock.due, text, slice=case.violation_id, since=clock.since, observed=allowed,
            limit=allowed, unit="s", person=self.by, evidence=(evidence,),
        )  # fmt: skip

    def _reminded(
        self, seam: Seam, case: Case, one: Round, clock: Clock, told: Told, until: int, findings: list[Finding]
    ) -> Told:
        """With the latest reminder that is due; one that another came after is of no use."""
        if clock.ended is not None or clock.due <= until:
            return told
        if told.reminded_of != clock.due:
            told = replace(told, reminded_of=clock.due, reminded=0)
        passed = [at for at in self._reminders(clock) if at <= until]
        if len(passed) <= told.reminded:
            return told
        left = _time(clock.due - passed[-1])
        text = (
            f"{seam.system}: the {clock.what} of {_named(case)}, which {one.declared.person} declared an incident "
            f"({one.kind}), waits for you; {left} left, until {moment_text(clock.due)}"
        )
        key = f"{case.violation_id}/{clock.key}/{clock.due}/{len(passed)}"
        findings.append(Remind("reminder", key, self.by, text, clock.due, slice=case.violation_id))
        return replace(told, reminded=len(passed))

    def _reminders(self, clock: Clock) -> list[int]:
        """At once, and at the agreed shares."""
        length = max(0, clock.due - clock.set_at)
        return [clock.set_at, *(clock.set_at + round(share * length) for share in sorted(self.remind_at))]

    def _times(self, case: Case, until: int) -> Iterator[int]:
        """When anything changes, or a reminder is due."""
        until = max(until, case.judged)
        if (after := _next(case, until)) is not None:
            yield after
        known = {told.key: told for told in case.told}
        for _, clock in _running(case, until):
            told = known.get(clock.key, Told(clock.key))
            if clock.ended is None and until < clock.due:
                given = told.reminded if told.reminded_of == clock.due else 0
                yield from self._reminders(clock)[given : given + 1]


def _running(case: Case, at: int) -> list[tuple[Round, Clock]]:
    """The clocks by what was said until a time."""
    standing = standing_of(word for word in case.words if word.at <= at)
    return [(one, clock) for one in standing.rounds for clock in one.clocks]


def _next(case: Case, at: int) -> int | None:
    """The first time after another at which anything is said, or is due."""
    said = (word.at for word in case.words if word.at > at)
    due = (clock.due for _, clock in _running(case, at) if clock.ended is None and clock.due > at)
    return earliest(*said, *due)


def _named(case: Case) -> str:
    return f"violation {case.violation_id[:8]}…"


def _time(micros: int) -> str:
    return format_duration(max(0, micros))


def _end_text(case: Case, clock: Clock) -> str:
    word = clock.ended
    assert word is not None
    if word.says == "withdrawn":
        return f"{word.person} withdrew at {moment_text(word.at)} that {_named(case)} is an incident"
    late = _time(word.at - clock.due)
    return f"{word.person} sent the {word.says} report of {_named(case)}, {late} after it was due"
