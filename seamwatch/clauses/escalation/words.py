"""The sentences of the clause `escalation`: what nobody took over, and what the summary says of a period."""

from __future__ import annotations

from typing import NamedTuple

from seamwatch.clauses.escalation.state import EscalationState
from seamwatch.expressions import Expression
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.handovers import Period
from seamwatch.judging.patterns.intervals import interval_text
from seamwatch.judging.patterns.wording import moment_text, share_text


class Words(NamedTuple):
    """What is agreed of hand-overs; fields as in the clause."""

    when: Expression
    to: str
    within: int

    def missed(self, seam: Seam, state: EscalationState, trace: str | None, *, doubted: bool) -> str:
        """A hand-over that was due and not made; ``doubted``: it cannot be told whether the first of them was due."""
        first = state.missed[0]
        held = f"{self.when} held in conversation {trace} at {moment_text(first.event_time)}, and"
        if doubted:
            held = (
                f"whether {self.when} held in conversation {trace} at {moment_text(first.event_time)} cannot be told "
                "for what the call gives, so that a person was needed, and"
            )
        recall = f"{state.met} of {state.due} hand-overs due were made (recall {share_text(state.met / state.due)})"
        precision = "and no other was made"
        if state.made:
            share = share_text(state.wanted / state.made)
            precision = f"{state.wanted} of {state.made} made were due (precision {share})"
        return (
            f"{seam.system}: {held} it was not handed to a person ({self.to}) within {self._calls}; so far {recall}, "
            f"{precision}"
        )

    def untaken(self, seam: Seam, trace: str | None, first: int) -> str:
        """A denied call, at event time ``first``, that nobody took over from."""
        return (
            f"{seam.system}: {self.when} held for a call that was denied by the guard, in conversation "
            f"{trace} at {moment_text(first)}, and nobody ({self.to}) took over within {self._calls}"
        )

    def summary(self, seam: Seam, clause: str, period: Period) -> str:
        """The hand-overs of all conversations in a period."""
        recall = f"; recall {interval_text(period.met, period.due)}" if period.due else ""
        precision = f"; precision {interval_text(period.wanted, period.made)}" if period.made else ""
        given_up = f"; {period.given_up:,} of those missed were waited for no longer" if period.given_up else ""
        return (
            f"{seam.system}: {clause!r} ({self.when}) from {moment_text(period.start)} to {moment_text(period.end)}: "
            f"hand-overs due {period.due:,}, missed {period.due - period.met:,}, made {period.made:,}, "
            f"needlessly {period.made - period.wanted:,}{recall}{precision}{given_up}"
        )

    @property
    def _calls(self) -> str:
        return "the next call" if self.within == 1 else f"{self.within} calls"
