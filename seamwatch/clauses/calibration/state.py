"""What the clause `calibration` keeps of one cohort: of each version how well its scores meant what they say.

Values only; the arithmetic of a reliability is `seamwatch.statistics.reliability`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.newest import Newest
from seamwatch.judging.patterns.windows import Windows
from seamwatch.statistics.reliability import Reliability

EVER: Final = 2**62
"""After all events; negative, before them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcomes of one version ("" for one that is not known), and the look at which its episode opened.

    ``stretch``: the last episode as looks, which are its windows, have found it. ``left_out``: how many more outcomes
    were left out, by why. ``newest``: the newest outcomes by themselves.
    """

    version: str
    range: tuple[float, float]
    reliability: Reliability = field(default_factory=Reliability)
    windows: Windows = field(default_factory=Windows)
    first: int | None = None
    last: int = -EVER
    opened: int | None = None
    told: float = 0.0
    stretch: Stretch | None = None
    left_out: tuple[int, ...] = ()
    newest: Newest = field(default_factory=Newest)

    @property
    def key(self) -> str:
        """Names the episode that is open over all of its outcomes."""
        return f"{self.version}/{self.opened}"

    @property
    def key_of_newest(self) -> str:
        """Names the episode that is open over the newest of them."""
        return f"newest/{self.version}/{self.newest.opened}"

    def plus(self, fact: Fact, bins: int, *, newest: bool) -> Tally:
        """With the outcomes of a minute, in so many bins; with ``newest`` those are counted by themselves too."""
        left_out = tuple(map(sum, zip_longest(self.left_out, fact.missing, fillvalue=0)))
        these = self.newest.plus(fact, bins) if newest else self.newest
        tally = replace(self, left_out=left_out, last=max(self.last, fact.last_time), newest=these)
        if not fact.count:
            return tally
        reliability = self.reliability.plus(fact.histogram, fact.sums[:bins], fact.sums[bins:])
        first = fact.first_time if self.first is None else min(self.first, fact.first_time)
        return replace(tally, reliability=reliability, first=first)


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """One cohort: a tally a version, in the order in which they were first met."""

    tallies: tuple[Tally, ...] = ()
