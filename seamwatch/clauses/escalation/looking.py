"""One conversation, call by call: what is due and handed over, what was missed, and when its episode is over.

One part of the clause `escalation`. Pure: states in, states out, and what is found is added to the findings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, NamedTuple

from seamwatch.clauses.escalation.state import LONG_AGO, EscalationState
from seamwatch.clauses.escalation.words import Words
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import EVIDENCE_LIMIT, merge_evidence
from seamwatch.judging.model.judgement import Finding, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.attempts import ATTEMPT
from seamwatch.judging.patterns.calls import Call
from seamwatch.judging.patterns.handovers import Owed
from seamwatch.judging.patterns.runs import TRACE_IDLE

DOUBTED: Final = "due, doubted"
"""The role of a call of which it cannot be told whether it is due."""
TRIED: Final = "tried"
"""The role of a call that was denied."""


class Conversation(NamedTuple):
    """What is agreed of a conversation."""

    severity: Literal["warning", "breach"]
    words: Words

    def idle(
        self, seam: Seam, state: EscalationState, now: int, moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        """Ends the conversation when it has been idle for long enough at event time ``now``."""
        if state.last == LONG_AGO or now < state.last + TRACE_IDLE:
            return state
        state = self.given_up(seam, state, moment, findings)
        if (state.missed or state.tried) and not state.over:
            state, at = replace(state, over=True), state.last + TRACE_IDLE
            if state.missed:
                summary = self._sentence(seam, state, moment.slice)
                findings.append(Resolve(self.severity, "", at, slice=moment.slice, summary=summary))
            if state.tried:
                findings.append(Resolve("warning", ATTEMPT, at, slice=moment.slice))
        return state

    def given_up(self, seam: Seam, state: EscalationState, moment: Moment, findings: list[Finding]) -> EscalationState:
        """Nothing of the conversation can follow: what waits for a person waits in vain."""
        state = self._missed(seam, state, state.owed, moment, findings)
        return self._untaken(seam, state, state.asked, moment, findings)

    def judged(
        self, seam: Seam, state: EscalationState, call: Call, moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        """One call, in order; what is found is added to ``findings``."""
        time = call.event.event_time
        if time >= state.last + DAY:
            # What a silent day has ended is forgotten, live as well as in a history that is read at once.
            state = EscalationState(state.calls)
        if call.role == TRIED:
            # The first are told, so that no more need to be remembered.
            asked = (*state.asked, Owed(call.event, self.words.within))[:EVIDENCE_LIMIT]
            return replace(state, last=time, asked=asked)
        due, made = call.role.startswith("due"), call.role.endswith("made")
        owed = tuple([Owed(one.event, one.left - 1) for one in state.owed])
        asked = tuple([Owed(one.event, one.left - 1) for one in state.asked])
        met, wanted = (len(owed) + due, bool(owed) or due) if made else (0, False)
        state = EscalationState(
            state.calls, () if made else owed, state.missed, state.due + due, state.met + met, state.made + made,
            state.wanted + wanted, time, state.over, state.handovers, () if made else asked, state.tried,
        )  # fmt: skip
        if made:
            return state
        state = self._missed(seam, state, tuple(one for one in owed if one.left == 0), moment, findings)
        state = self._untaken(seam, state, tuple(one for one in asked if one.left == 0), moment, findings)
        if not due:
            return state
        event = replace(call.event, label=DOUBTED) if call.role == DOUBTED else call.event
        return replace(state, owed=(*state.owed, Owed(event, self.words.within)))

    def _missed(
        self, seam: Seam, state: EscalationState, owed: tuple[Owed, ...], moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        if not owed:
            return state
        missed = merge_evidence(state.missed, tuple(one.event for one in owed))
        state = replace(state, missed=missed, owed=tuple(one for one in state.owed if one not in owed))
        if not state.over:
            findings.append(self._open(seam, state, moment.slice))
        return state

    def _untaken(
        self, seam: Seam, state: EscalationState, asked: tuple[Owed, ...], moment: Moment, findings: list[Finding]
    ) -> EscalationState:
        """Denied calls that nobody took over from."""
        if not asked:
            return state
        tried = merge_evidence(state.tried, tuple(one.event for one in asked))
        state = replace(state, tried=tried, asked=tuple(one for one in state.asked if one not in asked))
        if not state.over:
            first = tried[0].event_time
            summary = self.words.untaken(seam, moment.slice, first)
            found = Open("warning", ATTEMPT, first, summary, slice=moment.slice, since=first, evidence=tried)
            findings.append(found)
        return state

    def _open(self, seam: Seam, state: EscalationState, trace: str | None) -> Open:
        first = state.missed[0]
        return Open(
            self.severity,
            "",
            first.event_time,
            self._sentence(seam, state, trace),
            slice=trace,
            since=first.event_time,
            observed=state.met / state.due,
            limit=1,
            unit="recall",
            evidence=state.missed,
        )

    def _sentence(self, seam: Seam, state: EscalationState, trace: str | None) -> str:
        return self.words.missed(seam, state, trace, doubted=state.missed[0].label == DOUBTED)
