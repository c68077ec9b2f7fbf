"""Clocks of what is owed: when one reminds, and when a review or an action is overdue.

What starts and stops them is `words.py`. Pure: states in, states and findings out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from seamwatch.clauses.follow_up.state import Action, FollowUpState, Review
from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.model.judgement import Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.windows import earliest
from seamwatch.judging.patterns.wording import moment_text, quoted

Owed = TypeVar("Owed", Review, Action)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is agreed of reviews and actions, and by it what becomes of them; fields as in the clause."""

    severity: Literal["warning", "breach"]
    clause: str
    by: str
    within: int
    remind_at: tuple[float, ...]

    def run_out(self, seam: Seam, state: FollowUpState, until: int) -> tuple[FollowUpState, tuple[Finding, ...]]:
        """What is due by event time ``until``: reminders, and what is overdue."""
        findings: list[Finding] = []
        reviews = tuple(self._run_out(seam, review, until, findings) for review in state.reviews)
        actions = tuple(self._run_out(seam, action, until, findings) for action in state.actions)
        return replace(state, reviews=reviews, actions=actions), tuple(findings)

    def deadline(self, state: FollowUpState) -> int | None:
        """When to be asked again."""
        times = [at for review in state.reviews for at in self._times(review)]
        return earliest(*times, *(at for action in state.actions for at in self._times(action)))

    def miss(self, seam: Seam, owed: Owed) -> tuple[Owed, Open]:
        """A review or an action that is overdue."""
        allowed, text = (owed.due - owed.at) / SECOND, f"{seam.system}: {self._missed_text(owed)}"
        opened = Open(
            self.severity, _key(owed), owed.due, text, slice=owed.slice, since=owed.at,
            observed=allowed, limit=allowed, unit="s", person=self._person(owed),
            evidence=(owed.evidence,) if isinstance(owed, Action) else (),
        )  # fmt: skip
        return replace(owed, missed=True), opened

    def over(self, owed: Review | Action, at: int, text: str) -> Resolve:
        """The end of what is overdue."""
        return Resolve(self.severity, _key(owed), max(at, owed.due), slice=owed.slice, summary=text)

    def _run_out(self, seam: Seam, owed: Owed, until: int, findings: list[Finding]) -> Owed:
        if owed.done is not None:
            return owed
        due = [at for at in self._reminders(owed)[owed.reminded :] if at <= until]
        for number, at in enumerate(due, owed.reminded + 1):
            left = format_duration(owed.due - at)
            text = f"{seam.system}: {self._remind_text(owed)}; {left} left, until {moment_text(owed.due)}"
            key = f"{owed.slice}/{number}"
            findings.append(Remind("reminder", key, self._person(owed), text, owed.due, slice=owed.slice))
        if due:
            owed = replace(owed, reminded=owed.reminded + len(due))
        if not owed.missed and owed.due <= until:
            owed, opened = self.miss(seam, owed)
            findings.append(opened)
        return owed

    def _times(self, owed: Review | Action) -> Iterator[int]:
        if owed.done is None and not owed.missed:
            yield from self._reminders(owed)[owed.reminded : owed.reminded + 1]
            yield owed.due

    def _reminders(self, owed: Review | Action) -> list[int]:
        return [owed.at + round(share * (owed.due - owed.at)) for share in sorted(self.remind_at)]

    def _person(self, owed: Review | Action) -> str:
        return owed.person if isinstance(owed, Action) else self.by

    def _remind_text(self, owed: Review | Action) -> str:
        since = moment_text(owed.at)
        if isinstance(owed, Action):
            return f"{_done(owed)} waits for you ({_of(owed)})"
        return f"the review of {_named(owed)}, which is over since {since}, waits for you"

    def _missed_text(self, owed: Review | Action) -> str:
        if isinstance(owed, Action):
            return f"{owed.person} has not done {_done(owed)} by {moment_text(owed.due)} ({_of(owed)})"
        allowed = format_duration(owed.due - owed.at)
        since = moment_text(owed.at)
        return f"{self.by} has not reviewed {_named(owed)}, which is over since {since}; agreed within {allowed}"


def _named(owed: Review | Action) -> str:
    return f"violation {owed.violation_id[:8]}… of clause {owed.clause!r}"


def _done(action: Action) -> str:
    return quoted(action.what)


def _of(action: Action) -> str:
    return f"action {action.action_id} of the review of {_named(action)}"


def _key(owed: Review | Action) -> str:
    return "action" if isinstance(owed, Action) else "review"
