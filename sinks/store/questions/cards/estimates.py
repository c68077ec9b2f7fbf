"""Estimates: a figure computed from events, with the interval in which the true one lies with 95 % confidence.

Shares by E. B. Wilson's score interval (1927). Means, such as the Brier score (A. A. Bradley, S. S. Schwartz and
T. Hashino, Sampling uncertainty and confidence intervals for the Brier score, 2008), by Student's t (1908). The area
under the ROC curve is that of H. B. Mann and D. R. Whitney (1947), its interval the one that R. G. Newcombe recommends
(Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2, method 5, 2006): the
values that lie within 1.96 of their own standard errors of what was seen, which neither leaves [0, 1] nor shrinks to
nothing where all is ranked right. The error of calibration is `seamwatch.statistics.reliability`'s. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

from seamwatch.judging.patterns.intervals import wilson

_Z95: Final = 1.959963984540054
_STEPS: Final = 60
_ALIKE: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the interval of the true one; ``low`` and ``high`` None where so few events give none."""

    value: float
    low: float | None
    high: float | None
    count: int


def share(hits: int, count: int) -> Estimate | None:
    """Of ``count`` events, those that hit; None of no events."""
    return None if count == 0 else Estimate(hits / count, *wilson(hits, count), count)


def mean(total: float, squares: float, count: int) -> Estimate | None:
    """The mean of values within [0, 1], of which the sum and the sum of the squares are given; None of no values.

    Of one value, and of values that are all alike, Student's t says nothing of how sure it is.
    """
    if count == 0:
        return None
    value = total / count
    variance = 0.0 if count == 1 else max(0.0, squares - total * value) / (count - 1)
    if variance <= _ALIKE:
        return Estimate(value, None, None, count)
    from scipy.special import stdtrit

    reach = float(stdtrit(count - 1, 0.975)) * sqrt(variance / count)
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), count)


def area(won: float, positives: int, negatives: int) -> Estimate | None:
    """The area under the ROC curve: of all pairs of a positive and a negative, the share that the scores rank right.

    ``won``: how many are, those of equal scores by half. None where either is lacking.
    """
    if not positives or not negatives:
        return None
    value = won / (positives * negatives)

    def apart(true: float) -> float:
        """By how many of its standard errors a true area is from what was seen."""
        error = sqrt(_variance(true, positives, negatives))
        return (abs(true - value) / error) if error > 0 else (0.0 if true == value else float("inf"))

    low = _edge(lambda x: apart(x) <= _Z95, value, 0.0)
    high = _edge(lambda x: apart(x) <= _Z95, value, 1.0)
    return Estimate(value, low, high, positives + negatives)


def _variance(area: float, positives: int, negatives: int) -> float:
    half = (positives + negatives) / 2 - 1
    spread = 1 + half * (1 - area) / (2 - area) + half * area / (1 + area)
    return area * (1 - area) * spread / (positives * negatives)


def _edge(inside: Callable[[float], bool], within: float, outwards: float) -> float:
    """How far from a value inside one gets towards an end and is inside still."""
    near, far = within, outwards
    for _ in range(_STEPS):
        middle = (near + far) / 2
        if inside(middle):
            near = middle
        else:
            far = middle
    return near
