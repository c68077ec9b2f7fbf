"""What the clause `representation` keeps of one system: windows of the whole and of each cohort, and what is open.

Values only; what is found is in `looking.py` (decisions) and `refreshes.py` (data sets).
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import Final

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.faults import Fault
from seamwatch.judging.patterns.presence import Presence
from seamwatch.judging.patterns.windows import Windows
from seamwatch.values import value

COHORT: Final = "cohort/"
"""What the name of a measure of one cohort begins with."""


@value()
class RepresentationState:
    """Windows of all decisions that name a cohort and of each listed cohort, and the last episode of each cohort.

    ``newest`` and ``faults`` serve refreshes instead. ``outside`` is what was open as an earlier release kept it.
    ``present``: how often each listed cohort came; ``unchecked``: what of the newest refresh could not be judged.
    """

    whole: Windows = field(default_factory=Windows)
    cohorts: tuple[tuple[str, Windows], ...] = ()
    outside: tuple[tuple[str, int], ...] = ()
    newest: int | None = None
    faults: tuple[Fault, ...] = ()
    stretches: tuple[tuple[str, Stretch], ...] = ()
    present: tuple[tuple[str, Presence], ...] = ()
    unchecked: tuple[Fault, ...] = ()

    def without_outside(self, window: int) -> RepresentationState:
        """As this release keeps it, with windows of so many micros."""
        if not self.outside:
            return self
        stretches = ((cohort, Stretch(start, max(start + window, self.whole.done))) for cohort, start in self.outside)
        return replace(self, outside=(), stretches=tuple(stretches))

    def added(self, fact: Fact, moment: Moment) -> tuple[RepresentationState, int]:
        """With a fact of the whole or of a cohort, and whether it came too late (1 or 0)."""
        if not fact.measure:
            added = self.whole.add(fact, moment)
            return (self, 1) if added is None else (replace(self, whole=added), 0)
        cohort = fact.measure.removeprefix(COHORT)
        cohorts = dict(self.cohorts)
        before = cohorts.get(cohort, Windows(done=self.whole.done))
        added = before.add(fact, moment)
        # Late is counted once, by the whole.
        return (self, 0) if added is None else (replace(self, cohorts=tuple((cohorts | {cohort: added}).items())), 0)

    def fact_of(self, cohort: str, whole: Fact) -> Fact | None:
        """What came of a cohort in the window that the whole is of."""
        windows = dict(self.cohorts).get(cohort, Windows())
        same = (w.fact for w in windows.filling if (w.start, w.fact.window) == (whole.window_start, whole.window))
        return next(same, None)
