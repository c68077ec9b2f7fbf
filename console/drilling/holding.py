"""Holding: a drill's steps, one after the other, each with what came of it and how long it took.

Pages nobody, signs and sends nothing; that is the command's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.drilling import checking
from console.drilling.answering import Answer, Answers, Asked, meant
from console.drilling.checking import Checked, Subject
from console.drilling.scenario import Scenario, Step
from seamwatch.clauses.drill.statement import Paged, Result, Taken
from seamwatch.clauses.drill.statement import Step as Outcome
from seamwatch.durations import SECOND, format_duration

_LONGEST_SAID = 1_000


@dataclass(frozen=True, slots=True)
class Holding:
    """What the steps are held against. ``reconstruct`` samples a decision; ``measure`` tells seconds of a clock."""

    subject: Subject
    paged: tuple[Paged, ...]
    taken: Taken | None
    answers: Answers
    reconstruct: Callable[[], Checked]
    measure: Callable[[], float]

    def outcomes(self, scenario: Scenario) -> tuple[Outcome, ...]:
        """What came of each step."""
        return tuple(self._done(step) if step.check is None else self._checked(step) for step in scenario.steps)

    def _checked(self, step: Step) -> Outcome:
        began = self.measure()
        match step.check:
            case "paged":
                checked = checking.paged(self.paged)
            case "taken":
                checked = checking.taken(self.taken, self.paged)
            case "runbook":
                checked = checking.runbook(self.subject)
            case "offline":
                checked = checking.offline(self.subject)
            case _:
                checked = self.reconstruct()
        took = self.measure() - began if checked.took is None else checked.took
        if not checked.holds:
            return _outcome(step, "failed", None if step.check in ("paged", "taken") else took, None, checked.said)
        return _in_time(step, took, None, checked.said)

    def _done(self, step: Step) -> Outcome:
        person = meant(step, self.subject.seam, self.subject.estate)
        answer: Answer | None = self.answers(Asked(step, person))
        if answer is None:
            named = "" if person is not None else f"; no {step.by} is named who would"
            return _outcome(step, "skipped", None, person, f"nobody says that it was done{named}")
        took = None if answer.took is None else answer.took / SECOND
        return _in_time(step, took, answer.by or person, answer.said)


def _in_time(step: Step, took: float | None, by: str | None, said: str) -> Outcome:
    """What was done: passed where it took no longer than it may, and that is known."""
    if step.within is None:
        return _outcome(step, "passed", took, by, said)
    if took is None:
        return _outcome(step, "failed", None, by, f"{said}; nobody says how long it took")
    if took * SECOND > step.within:
        late = format_duration(round(took * SECOND))
        return _outcome(step, "failed", took, by, f"{said}; it took {late}, longer than it may")
    return _outcome(step, "passed", took, by, said)


def _outcome(step: Step, result: Result, took: float | None, by: str | None, said: str) -> Outcome:
    return Outcome(
        id=step.id, what=step.told[:500], result=result, by=by, said=said[:_LONGEST_SAID],
        took_seconds=None if took is None else round(max(0.0, took), 3),
        within_seconds=None if step.within is None else step.within / SECOND,
    )  # fmt: skip


def line_of(outcome: Outcome) -> str:
    """An outcome in one line."""
    return f"{outcome.result:<8} {outcome.id}{times_of(outcome)}: {outcome.said}"


def times_of(outcome: Outcome) -> str:
    """How long it took, of how long it might have; nothing where neither is known."""
    took = None if outcome.took_seconds is None else format_duration(round(outcome.took_seconds * SECOND))
    within = None if outcome.within_seconds is None else format_duration(round(outcome.within_seconds * SECOND))
    if took is None and within is None:
        return ""
    if within is None:
        return f" ({took})"
    return f" ({took or 'no time known'} of {within})"
