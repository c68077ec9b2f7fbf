"""What the clause `escalation` keeps of one conversation, or of all together for the summary. Values only."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from seamwatch.clauses.summaries import Receipts
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.calls import Calls
from seamwatch.judging.patterns.handovers import Handovers, Owed
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.judging.patterns.windows import earliest
from seamwatch.values import value

LONG_AGO: Final = -(2**62)


@value()
class EscalationState:
    """One conversation: what waits, and what has been found; or (in the state named "summary") all together.

    ``due`` were to be handed over, ``met`` of them were; of ``made`` hand-overs ``wanted`` were due. ``tried`` were
    denied calls that nobody took over from, of those that ``asked`` for it.
    ``last`` is the time of the last call judged; ``over`` says that its episode has ended, and it has no second.
    """

    calls: Calls = field(default_factory=Calls)
    owed: tuple[Owed, ...] = ()
    missed: tuple[Evidence, ...] = ()
    due: int = 0
    met: int = 0
    made: int = 0
    wanted: int = 0
    last: int = LONG_AGO
    over: bool = False
    handovers: Handovers = field(default_factory=Handovers)
    asked: tuple[Owed, ...] = ()
    tried: tuple[Evidence, ...] = ()
    receipts: Receipts = field(default_factory=Receipts)

    def going_on(self, calls: Calls, last: int) -> EscalationState:
        """With these calls waiting, and the last one judged at that time."""
        if self.calls is calls and self.last == last:
            return self
        # Written out: `replace` takes three times as long, and this is done for each fact.
        return EscalationState(
            calls, self.owed, self.missed, self.due, self.met, self.made, self.wanted, last, self.over,
            self.handovers, self.asked, self.tried,
        )  # fmt: skip

    def deadline(self) -> int | None:
        """When a conversation is to be asked again: a call has had its time, or it ends, or is forgotten."""
        if self.last == LONG_AGO:
            return self.calls.deadline()
        running = bool(self.owed or self.missed or self.asked or self.tried) and not self.over
        return earliest(self.calls.deadline(), self.last + (TRACE_IDLE if running else DAY))
