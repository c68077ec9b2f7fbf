"""What the clause `signal` keeps of one system or cohort: windows, what is open on each side, a reference of `drift`.

Values only; what a window says is `readings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.windows import Windows
from seamwatch.values import value

Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Broken:
    """What was open, as an earlier release kept it: the start of its first window outside, and on which side."""

    start: int
    side: Side


@value()
class SignalState:
    """Windows that are not yet complete, the last episode on each side, and the reference of `drift` over its range.

    ``last`` is the end of the last window judged. ``broken`` is what was open as an earlier release kept it.
    """

    windows: Windows = field(default_factory=Windows)
    broken: Broken | None = None
    reference: tuple[int, ...] = ()
    over: tuple[float, float] | None = None
    last: int | None = None
    sides: tuple[tuple[Side, Stretch], ...] = ()

    def without_broken(self, window: int) -> SignalState:
        """As this release keeps it, with windows of so many micros."""
        if self.broken is None:
            return self
        broken = Stretch(self.broken.start, self.last or self.broken.start + window)
        return replace(self, broken=None, sides=((self.broken.side, broken),))
