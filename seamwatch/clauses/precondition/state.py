"""What the clause `precondition` keeps of one conversation. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.calls import Calls
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.judging.patterns.windows import earliest
from seamwatch.values import value

REMEMBERED: Final = 1_000
"""Of how many values of what is matched it is known when they were required."""
LONG_AGO: Final = -(2**62)


@value()
class PreconditionState:
    """One conversation: its waiting calls, when each matched value was last required, and what offended.

    ``tried`` are the first attempts, of ``denied``, of which that at ``piled`` was one too many. ``last`` is the time
    of the last call judged; ``over`` says that its episodes have ended, and it has no second.
    """

    calls: Calls = field(default_factory=Calls)
    required: dict[str, int] = field(default_factory=dict)
    offending: tuple[Evidence, ...] = ()
    last: int = LONG_AGO
    over: bool = False
    tried: tuple[Evidence, ...] = ()
    denied: int = 0
    piled: int | None = None

    def deadline(self) -> int | None:
        """When a conversation is to be asked again: a call has had its time, or it ends, or is forgotten."""
        begun = self.last > LONG_AGO
        found = bool(self.offending or self.tried)
        open_until = self.last + TRACE_IDLE if begun and found and not self.over else None
        return earliest(self.calls.deadline(), open_until, self.last + DAY if begun else None)


@dataclass(slots=True)
class Shown:
    """What has been found of a conversation so far, while its calls are judged."""

    offending: tuple[Evidence, ...] = ()
    tried: tuple[Evidence, ...] = ()
    denied: int = 0
    piled: int | None = None
