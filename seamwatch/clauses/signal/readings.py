"""What one window says of each signal: the value, how it is told, and the bound that it breaks.

One part of the clause `signal`; windows in, readings out. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log, sqrt
from typing import Final, Literal, NamedTuple

from seamwatch.clauses.signal.state import Side
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.patterns.intervals import interval_text, quantile_ranks
from seamwatch.judging.patterns.wording import number_text, share_text
from seamwatch.values import value

LATENCY_BINS: Final = 256
DRIFT_BINS: Final = 20
_CHANCE = 0.001
_UNSURE = 0.05
_THINGS = {
    "accuracy": ("outcomes", "were right"),
    "abuse": ("decisions", "were abuse"),
    "fallback": ("decisions", "were answered by a fallback"),
}


@value()
class Reading:
    """What one window says: the value, how it is told, and the bound it breaks."""

    value: float
    text: Callable[[str], str]
    side: Side | None = None


class Bounds(NamedTuple):
    """What is agreed of a signal; fields as in the clause.

    ``odd``: whether the first of what is left out is outcomes whose label says nothing, of another convention.
    """

    signal: Literal["latency", "accuracy", "drift", "abuse", "fallback"]
    max: float | None
    min: float | None
    quantile: float
    by: Literal["cohort"] | None
    odd: bool

    def reading(self, reference: Sequence[int], fact: Fact) -> Reading | None:
        """What a window says; None where that depends on outcomes whose label is of another convention."""
        if self.signal == "latency":
            return self._latency(fact)
        if self.signal == "drift":
            return self._drift(reference, fact)
        hits = fact.count - fact.breaches if self.signal == "accuracy" else fact.breaches
        share = hits / fact.count
        side: Side | None = None
        if self.max is not None and hits > (self.max + 1e-9) * fact.count:
            side = "above"
        elif self.min is not None and hits < (self.min - 1e-9) * fact.count:
            side = "below"
        if side is not None and self.signal == "accuracy" and not self._certain(side, hits, fact):
            return None
        events, were = _THINGS[self.signal]

        def text(beside: str) -> str:
            return f"{interval_text(hits, fact.count, self.min, self.max)} {events}{beside} {were}"

        return Reading(share, text, side)

    def _certain(self, side: Side, hits: int, fact: Fact) -> bool:
        """Whether the bound is broken, whatever the outcomes are whose label says nothing."""
        odd = fact.missing[0] if fact.missing and self.odd else 0
        if side == "above":
            return hits > ((self.max or 0) + 1e-9) * (fact.count + odd)
        return hits + odd < ((self.min or 0) - 1e-9) * (fact.count + odd)

    def _latency(self, fact: Fact) -> Reading:
        assert self.max is not None
        rank = max(1, ceil(self.quantile * fact.count - 1e-9))
        side: Side | None = "above" if fact.count - fact.breaches < rank else None
        value = self._ranked(fact, rank)
        value = max(value, self.max) if side else min(value, self.max)

        def text(beside: str) -> str:
            sure = self._between(fact) if self.by else ""
            slowest = "slowest" if self.quantile == 1 else f"slowest {share_text(1 - self.quantile)}"
            took = f"{number_text(value, self.max)} ms or more{sure}"
            return f"the {slowest} of {fact.count:,} decisions{beside} took {took}"

        return Reading(value, text, side)

    def _ranked(self, fact: Fact, rank: int) -> float:
        """The latency of this rank, to a bin's width."""
        assert self.max is not None
        width, passed, value = 4 * self.max / LATENCY_BINS, 0, 0.0
        for number, held in enumerate(fact.histogram):
            if passed + held >= rank:
                last = number == LATENCY_BINS - 1
                value = (fact.maximum or 0.0) if last else (number + (rank - passed) / held) * width
                break
            passed += held
        return min(max(value, fact.minimum or 0.0), value if fact.maximum is None else fact.maximum)

    def _between(self, fact: Fact) -> str:
        low, high = quantile_ranks(self.quantile, fact.count)
        lowest = "0" if low is None else number_text(self._ranked(fact, low))
        highest = "no bound" if high is None else f"{number_text(self._ranked(fact, high))} ms"
        return f" (95 % sure: {lowest} to {highest})"

    def _drift(self, reference: Sequence[int], fact: Fact) -> Reading:
        assert self.max is not None
        count, scores = sum(fact.histogram), sum(reference)
        pairs = list(zip(fact.histogram, reference, strict=True))
        moved = sum(abs(now / count - then / scores) for now, then in pairs) / 2
        thin = 1 / count + 1 / scores
        pooled = [(now + then) / (count + scores) for now, then in pairs]
        # What chance alone moves: its expectation (by Jensen) and how far it strays from it (by McDiarmid).
        chance = sum(sqrt(p * (1 - p) * thin) for p in pooled) / 2 + sqrt(log(1 / _CHANCE) / 2 * thin)
        sure = max(0.0, moved - chance)
        between = ""
        if self.by:
            # The distance strays from the true one by no more than the two histograms do from what they sample.
            spread = (
                sqrt(log(1 / _UNSURE) / 2 * thin)
                + sum(
                    sqrt(now / count * (1 - now / count) / count + then / scores * (1 - then / scores) / scores)
                    for now, then in pairs
                )
                / 2
            )
            between = f"95 % sure: {share_text(max(0, moved - spread))} to {share_text(min(1, moved + spread))}; "
        beyond = f"({between}{share_text(sure)} beyond what chance would move)"

        def text(beside: str) -> str:
            return f"{share_text(moved)} of {count:,} scores{beside} have moved {beyond}"

        return Reading(moved, text, "above" if sure > self.max else None)
