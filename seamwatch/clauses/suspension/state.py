"""What the clause `suspension` keeps of one system: what was said, the traffic that may be held to it, and its runs.

Values only.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal

from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.runs import Runs
from seamwatch.judging.patterns.suspensions import Claim, Target
from seamwatch.values import value

WINDOW: Final = 2 * SECOND
"""Traffic is told by so wide windows, each by its first event."""
MOST_PASSED: Final = 2_000
"""So many windows of traffic of one system wait for what may still be said; in a history, `MOST_OF_HISTORY`."""
MOST_OF_HISTORY: Final = 200_000

Named = Literal["version", "tool"]


@value()
class Passed:
    """A window of traffic of one version, or of calls of one tool, by its first event.

    ``arrived``: the stream's time when it was first heard of. ``told``: for which targets it was held to have gone on.
    """

    of: Named
    name: str
    start: int
    first: Evidence
    arrived: int
    told: tuple[Target, ...] = ()

    @property
    def end(self) -> int:
        """The first microsecond after it."""
        return self.start + WINDOW

    def is_of(self, target: Target) -> bool:
        """Whether it is traffic of the target. All that a system does has a version."""
        if target.tool is not None:
            return self.of == "tool" and self.name == target.tool
        return self.of == "version" and target.version in (None, self.name)


@value()
class GoingOn:
    """The run of traffic in one span, which is named by the claim that began it."""

    span: str
    runs: Runs


@value()
class SuspensionState:
    """The state of one system."""

    claims: tuple[Claim, ...] = ()
    passed: tuple[Passed, ...] = ()
    going_on: tuple[GoingOn, ...] = field(default=())
