"""What the clause `volume` keeps of the events of a system, or of its refreshes. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.faults import Fault
from seamwatch.judging.patterns.windows import Windows

NEVER: Final = Windows().done
"""The end of the last window judged, while none was."""
REFRESHES: Final = "\x00refreshes"
"""The part of a clause that looks at refreshes."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What was open, as an earlier release kept it: the first window's start and its number."""

    start: int
    number: int


@dataclass(frozen=True, slots=True)
class VolumeState:
    """Windows not yet complete, the end of the last one judged, what is open; ``faults`` of single refreshes.

    ``unknown``: that refreshes do not say how many rows they have. ``sides``: the last episode below the bounds (-1)
    and above (1). ``outside``: what an earlier release kept of it. ``expected``: the end of the last window that is not
    judged, as it was set when the first refresh began to be waited for.
    """

    windows: Windows = field(default_factory=Windows)
    outside: Outside | None = None
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    sides: tuple[tuple[int, Stretch], ...] = ()
    unknown: tuple[Fault, ...] = ()
    expected: int | None = None

    def waiting(self, at: int, per: int) -> VolumeState:
        """Empty windows of ``per`` count from ``at`` on, unless something has come, or one was judged."""
        start = at - at % per
        waits = self.windows.done in (NEVER, self.expected) and self.newest is None
        if not waits or (self.expected is not None and self.expected <= start):
            return self
        return replace(self, windows=replace(self.windows, done=start), expected=start)
