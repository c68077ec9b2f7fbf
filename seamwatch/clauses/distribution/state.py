"""What the clause `distribution` keeps of one system or cohort: a reference, the bets against it, and a clock.

Values only; how windows are compared is `seamwatch.judging.patterns.watch`, what becomes of the clock is `review.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.patterns.due import Due
from seamwatch.judging.patterns.watch import Counts, Recent, Watch, hour_of
from seamwatch.judging.patterns.windows import Windows
from seamwatch.statistics.histograms import Reference

FIRST_SCORES: Final = 1_000
"""Of how many scores a reference of first scores is made at least."""


@dataclass(frozen=True, slots=True)
class DistributionState:
    """Windows still filling, a period's reference, the bets, the windows they rest on, and the open episode.

    ``counted`` and ``compared`` are digests of what the reference and the bets rest on: where the contract changes
    it, they start anew. ``began`` is the first window of a reference of first scores, which is complete once
    ``pinned``. ``review``: the clock of the review that a shift asks for. The rest is a `Watch`, over the scores and,
    where the reference knows of them, the absences.
    """

    windows: Windows = field(default_factory=Windows)
    counted: str = ""
    compared: str = ""
    reference: Reference | None = None
    began: int | None = None
    pinned: bool = False
    wealth: tuple[float, ...] = ()
    since: tuple[int, ...] = ()
    recent: Recent = ()
    opened: int | None = None
    seen: tuple[tuple[int, Counts], ...] = ()
    seen_windows: int = 0
    review: Due = field(default_factory=Due)

    @property
    def watch(self) -> Watch:
        """The part of it that is watched."""
        return Watch(self.wealth, self.since, self.recent, self.opened, self.seen, self.seen_windows)

    def watched(self, watch: Watch) -> DistributionState:
        """With what is watched as it is now."""
        return replace(self, **{name: getattr(watch, name) for name in Watch.__slots__})

    def resting_on(self, counted: str, compared: str) -> DistributionState:
        """As far as it rests on what these digests say is agreed now; an open episode stays open either way."""
        if self.compared == compared:
            return self
        same = self.counted == counted
        return DistributionState(
            self.windows if same else Windows(done=self.windows.done),
            counted,
            compared,
            self.reference if same else None,
            self.began if same else None,
            same and self.pinned,
            opened=self.opened,
            review=self.review,
        )

    def grown(self, window: Fact, *, absence: bool) -> DistributionState:
        """With one more window in the reference; with ``absence`` that counts decisions without a score too."""
        reference = self.reference or Reference.empty(len(window.histogram), absence=absence)
        hour = hour_of(window.window_start)
        return replace(self, reference=reference.with_window(hour, window.histogram, without_score(window)))

    def begun(self, first: int, window: Fact, *, absence: bool) -> DistributionState:
        """With the window in a reference of first scores, which it may complete."""
        if self.began is None and not any(window.histogram):
            return self  # the first score is still to come
        began = window.window_start if self.began is None else self.began
        after = self.grown(window, absence=absence)
        enough = after.reference is not None and sum(map(sum, after.reference.hours)) >= FIRST_SCORES
        return replace(after, began=began, pinned=enough and window.window_end - began >= first)


def without_score(window: Fact) -> int:
    """How many decisions of a window had no score."""
    return window.count - sum(window.histogram)
