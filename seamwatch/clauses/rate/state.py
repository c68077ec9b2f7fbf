"""What the clause `rate` keeps of what is counted together, or of the attempts of a conversation. Values only."""

from __future__ import annotations

from seamwatch.judging.patterns.attempts import Conduct
from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.tallies import Tallies, Tally
from seamwatch.values import value


@value()
class RateState:
    """What is counted of a slice (`Tallies`), or the attempts of a conversation."""

    tallies: tuple[Tally, ...] = ()
    done: int = -(2**62)
    first: int | None = None
    until: int = 0
    over: bool = False
    tried: Conduct | None = None
    stretch: Stretch | None = None

    @property
    def counted(self) -> Tallies:
        """What is counted."""
        return Tallies(self.tallies, self.done, self.first, self.until, self.over, self.stretch)
