"""Newest: of many outcomes the newest, so that what is counted since ever does not hide what is so now.

Kept as two halves of a number: one that is complete and one that fills, window by window. Whenever one is complete it
is looked at together with the one before. So it is always the same outcomes that are looked at together, however they
were delivered. Pure; what is made of them is the clause's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seamwatch.judging.model.facts import Fact
from seamwatch.statistics.reliability import Reliability


@dataclass(frozen=True, slots=True)
class Some:
    """Some outcomes: their bins, how many more had a label that says nothing, and the time of the first (micros)."""

    reliability: Reliability = field(default_factory=Reliability)
    odd: int = 0
    first: int | None = None

    def plus(self, other: Some) -> Some:
        """With others."""
        if not other.reliability.counts:
            return replace(self, odd=self.odd + other.odd)
        bins = other.reliability
        first = other.first if self.first is None else min(self.first, other.first or self.first)
        return Some(self.reliability.plus(bins.counts, bins.said, bins.happened), self.odd + other.odd, first)


@dataclass(frozen=True, slots=True)
class Newest:
    """The half that is complete, the one that fills, and when the episode that is open began."""

    complete: Some = field(default_factory=Some)
    filling: Some = field(default_factory=Some)
    opened: int | None = None

    def plus(self, fact: Fact, bins: int) -> Newest:
        """With the outcomes of a window."""
        odd = fact.missing[0] if fact.missing else 0
        if not fact.count:
            return replace(self, filling=self.filling.plus(Some(odd=odd)))
        counted = Reliability(fact.histogram, fact.sums[:bins], fact.sums[bins:])
        return replace(self, filling=self.filling.plus(Some(counted, odd, fact.first_time)))

    def turned(self, size: int) -> tuple[Newest, Some | None]:
        """With the next half begun and what is to be looked at, if so many outcomes are half of them at least."""
        if 2 * self.filling.reliability.size < size:
            return self, None
        both = self.complete.plus(self.filling) if self.complete.reliability.counts else None
        return replace(self, complete=self.filling, filling=Some()), both
