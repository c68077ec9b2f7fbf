"""The clock of the clause `reevaluation`: when an evaluation is due, and what is found as event time passes.

What asks for one and what was evaluated is noted as it is heard of, and counts in the order of event time once that has
got there: so the same is found however the inputs come together. Pure; the sentences are `words.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from seamwatch.clauses.attested import first_asked
from seamwatch.clauses.reevaluation import words
from seamwatch.clauses.reevaluation.state import RUNNING_KEPT, WAITING_KEPT, Noted, Overdue, Reason, ReevaluationState
from seamwatch.durations import SECOND
from seamwatch.judging.model.judgement import Finding, Open, Remind, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.due import ahead
from seamwatch.judging.patterns.windows import earliest

EVALUATED: Final = "evaluated"
REASON: Final = "reason"
WITHDRAWN: Final = "withdrawn"
_ORDER: Final = (REASON, EVALUATED, WITHDRAWN)
"""Of the same time a reason first: an evaluation of then covers it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is agreed, as it binds a system; ``people`` are asked, the ``named`` first.

    ``every`` is in micros, as is ``lead`` if agreed.
    """

    seam: Seam
    clause: str
    severity: Literal["warning", "breach"]
    people: tuple[str, ...]
    named: tuple[str, ...]
    every: int | None
    lead: int | Literal["never"] | None

    def noted(self, state: ReevaluationState, one: Noted) -> ReevaluationState:
        """With something that counts once event time has got there; what is known already changes nothing."""
        known = any(other.what == one.what and other.name == one.name and other.at == one.at for other in state.waiting)
        if known or (one.reason is not None and any(reason.name == one.name for reason in state.running)):
            return state
        waiting = sorted((*state.waiting, one), key=_turn)
        return replace(state, waiting=tuple(waiting[-WAITING_KEPT:]))

    def evaluated(self, state: ReevaluationState, at: int) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        """With an evaluation of event time ``at``: what is open is over at once, all else in its turn."""
        if state.overdue is not None and at >= state.overdue.at:
            return self._evaluated(state, at)
        return self.noted(state, Noted(at, EVALUATED)), ()

    def passed(self, state: ReevaluationState, until: int) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        """What the clock comes to by event time ``until``."""
        findings: tuple[Finding, ...] = ()
        due = [one for one in state.waiting if one.at <= until]
        state = replace(state, waiting=tuple(one for one in state.waiting if one.at > until))
        for one in due:
            state, more = self._run_out(state, one.at - 1)
            findings += more
            state, more = self._counted(state, one)
            findings += more
        state, more = self._run_out(state, until)
        state, reminders = self._reminded(state, until)
        return state, findings + more + reminders

    def deadline(self, state: ReevaluationState) -> int | None:
        """When to be asked again."""
        first = state.waiting[0].at if state.waiting else None
        cause = self._cause(state)
        if cause is None or state.overdue is not None:
            return first
        lead = self._lead(cause)
        early = None if not lead or state.reminded == cause.due else cause.due - lead
        return earliest(first, early, cause.due)

    def _counted(self, state: ReevaluationState, one: Noted) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        if one.what == EVALUATED:
            return self._evaluated(state, one.at)
        if one.what == WITHDRAWN:
            return self._withdrawn(state, one)
        covered = state.evaluated is not None and one.at <= state.evaluated
        if covered or one.reason is None:
            return state, ()
        running = sorted((*state.running, one.reason), key=_first)
        return replace(state, running=tuple(running[:RUNNING_KEPT])), ()

    def _evaluated(self, state: ReevaluationState, at: int) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        findings: tuple[Finding, ...] = ()
        if state.overdue is not None:
            over = max(at, state.overdue.at)
            text = words.evaluated(self.seam, at)
            findings = (Resolve(self.severity, state.overdue.key, over, summary=text),)
        last = at if state.evaluated is None else max(at, state.evaluated)
        left = tuple(reason for reason in state.running if reason.at > last)
        return replace(state, evaluated=last, running=left, overdue=None), findings

    def _withdrawn(self, state: ReevaluationState, one: Noted) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        left = tuple(reason for reason in state.running if reason.name != one.name)
        state = replace(state, running=left)
        if state.overdue is None or state.overdue.name != one.name:
            return state, ()
        over = Resolve(self.severity, state.overdue.key, max(one.at, state.overdue.at), summary=one.why)
        return replace(state, overdue=None), (over,)

    def _run_out(self, state: ReevaluationState, until: int) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        cause = self._cause(state)
        if cause is None or state.overdue is not None or cause.due > until:
            return state, ()
        key = f"{cause.at}/{cause.what}"
        allowed = (cause.due - cause.at) / SECOND
        opened = Open(
            self.severity, key, cause.due, words.missed(self.seam, self.people, cause), since=cause.at,
            observed=allowed, limit=allowed, unit="s", person=first_asked(self.seam, self.named, cause.due),
            evidence=() if cause.evidence is None else (cause.evidence,),
        )  # fmt: skip
        return replace(state, overdue=Overdue(key, cause.due, cause.name)), (opened,)

    def _reminded(self, state: ReevaluationState, until: int) -> tuple[ReevaluationState, tuple[Finding, ...]]:
        cause = self._cause(state)
        if cause is None or state.overdue is not None or state.reminded == cause.due:
            return state, ()
        lead = self._lead(cause)
        if not lead or not cause.due - lead <= until < cause.due:
            return state, ()
        text = words.due(self.seam, self.clause, cause)
        reminders = tuple(Remind("reminder", f"{cause.due}/{who}", who, text, cause.due) for who in self.people)
        return replace(state, reminded=cause.due), reminders

    def _lead(self, cause: Reason) -> int:
        return ahead(cause.due - cause.at, self.lead)

    def _cause(self, state: ReevaluationState) -> Reason | None:
        """The reason that is due first: the earliest deadline holds."""
        since = state.started if state.evaluated is None else state.evaluated
        reasons = list(state.running[:1])
        if self.every is not None and since is not None:
            reasons.append(Reason(words.PERIOD, "", since, since + self.every))
        return min(reasons, key=_first, default=None)


def _turn(one: Noted) -> tuple[int, int, str]:
    return one.at, _ORDER.index(one.what), one.name


def _first(reason: Reason) -> tuple[int, int, str]:
    return reason.due, reason.at, reason.name
