"""Due: what one person has to do within a time after something happened, and when they are reminded of it.

The arithmetic of one such clock; what it is about and the words are the clause's. By event time: it runs from the
first received that is not done yet, and what is done later than it ran out still ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from seamwatch.durations import DAY
from seamwatch.judging.patterns.windows import earliest

MOST_AHEAD: Final = 7 * DAY
WHEN_NOT_AGREED: Final = "a tenth of it, 7d at most, when absent"


def ahead(allowed: int, agreed: int | Literal["never"] | None) -> int:
    """How long (micros) before a clock runs out a person is reminded: as agreed, or else a tenth, a week at most.

    0 for never.
    """
    if agreed == "never":
        return 0
    return min(allowed // 10, MOST_AHEAD) if agreed is None else min(agreed, allowed)


@dataclass(frozen=True, slots=True)
class Due:
    """The clock: ``since`` when it runs (None: nothing is due), whether it ran ``out`` and the person was ``reminded``.

    ``done``: when it was done last.
    """

    since: int | None = None
    out: bool = False
    reminded: bool = False
    done: int | None = None

    def begun(self, at: int) -> Due:
        """With something that happened; what was done since covers it, and a clock that runs goes on."""
        if self.since is not None or (self.done is not None and self.done >= at):
            return self
        return Due(at, done=self.done)

    def finished(self, at: int) -> Due:
        """With what was done at a time; what happened later than that is still due."""
        done = at if self.done is None else max(at, self.done)
        if self.since is not None and at < self.since:
            return replace(self, done=done)
        return Due(done=done)

    def remind(self, allowed: int, lead: int, until: int) -> bool:
        """Whether the person is to be reminded at event time ``until``."""
        if self.since is None or self.out or self.reminded or not lead:
            return False
        return self.since + allowed - lead <= until < self.since + allowed

    def runs_out(self, allowed: int, until: int) -> bool:
        """Whether it has run out by event time ``until``, and was not told yet."""
        return self.since is not None and not self.out and self.since + allowed <= until

    def deadline(self, allowed: int, lead: int) -> int | None:
        """The next event time at which it is to be asked."""
        if self.since is None or self.out:
            return None
        end = self.since + allowed
        return earliest(None if self.reminded or not lead else end - lead, end)
