"""Reliability: how far what scores say is from what happens, per bin of the scores and over all.

The expected calibration error (Naeini, Cooper and Hauskrecht, 2015): the mean, weighted by the outcomes in each bin,
of the distance between the mean score and the share that came true. Its interval needs no resampling: by the triangle
inequality the measured error is off by at most the weighted mean of how far each bin's share is from its own truth,
and each of these distances is a folded normal one (Leone, Nelson and Nottingham, 1961), with a variance that is not
zero for a bin in which everything or nothing came true (Agresti and Coull, 1998). Arithmetic only, with no platform
library, on whole billionths, so that the order of the outcomes changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt

BILLION = 1_000_000_000
"""Sums are whole numbers of billionths, so that they are the same in whatever order they were added."""

_Z95_ONE_SIDED = 1.6448536269514722
_FOLDED_MEAN = sqrt(2 / pi)
_FOLDED_VARIANCE = 1 - 2 / pi


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin of the score: outcomes, and sums of scores and of labels, both as probabilities in billionths."""

    counts: tuple[int, ...] = ()
    said: tuple[int, ...] = ()
    happened: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many outcomes there are."""
        return sum(self.counts)

    def plus(self, counts: Sequence[int], said: Sequence[int], happened: Sequence[int]) -> Reliability:
        """With the bins of more outcomes; the same number of bins, unless there were none yet."""
        if not self.counts:
            return Reliability(tuple(counts), tuple(said), tuple(happened))
        return Reliability(_sum(self.counts, counts), _sum(self.said, said), _sum(self.happened, happened))

    def error(self) -> float:
        """The expected calibration error, 0 to 1; 0 for no outcomes."""
        apart = sum(abs(said - happened) for said, happened in zip(self.said, self.happened, strict=True))
        return apart / (self.size * BILLION) if self.size else 0.0

    def interval(self) -> tuple[float, float]:
        """In which the true error of these bins lies with 95 % confidence, or more; (0, 1) for no outcomes."""
        if not self.size:
            return 0.0, 1.0
        deviations = [
            held / self.size * sqrt(_variance((happened / BILLION + 2) / (held + 4)) / held)
            for held, happened in zip(self.counts, self.happened, strict=True)
            if held
        ]
        reach = _FOLDED_MEAN * sum(deviations)
        reach += _Z95_ONE_SIDED * sqrt(_FOLDED_VARIANCE * sum(deviation**2 for deviation in deviations))
        error = self.error()
        return max(0.0, error - reach), min(1.0, error + reach)

    def chance(self) -> float:
        """The error that scores which mean exactly what they say would show on average, for chance alone."""
        if not self.size:
            return 0.0
        deviations = (
            held / self.size * sqrt(_variance(min(max(said / BILLION / held, 0.0), 1.0)) / held)
            for held, said in zip(self.counts, self.said, strict=True)
            if held
        )
        return _FOLDED_MEAN * sum(deviations)

    def worst(self) -> int:
        """The bin that adds most to the error; the first of equal ones."""
        apart = [abs(said - happened) for said, happened in zip(self.said, self.happened, strict=True)]
        return apart.index(max(apart))

    def of_bin(self, index: int) -> tuple[float, float]:
        """The mean score and the share that came true, of a bin that is not empty."""
        whole = self.counts[index] * BILLION
        return self.said[index] / whole, self.happened[index] / whole


def _variance(share: float) -> float:
    return share * (1 - share)


def _sum(left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))
