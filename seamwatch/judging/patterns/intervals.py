"""Intervals: how sure a share is, given how many events it was counted on.

Arithmetic only, with no platform library. Wilson's score interval (E. B. Wilson, 1927), which keeps to [0, 1] and
holds its promise on few events, where the usual one does not; for quantiles, order statistics.
"""

from __future__ import annotations

from math import ceil, floor, sqrt

from seamwatch.judging.patterns.wording import share_text

_Z95 = 1.959963984540054


def wilson(hits: int, count: int, z: float = _Z95) -> tuple[float, float]:
    """The interval in which the true share lies, with 95 % confidence by default; (0, 1) for no events."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = z * sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    # At the ends the bound is exact; arithmetic may miss it by the last bit.
    low = 0.0 if hits == 0 else max(0.0, middle - reach)
    high = 1.0 if hits == count else min(1.0, middle + reach)
    return low, high


def quantile_ranks(quantile: float, count: int, z: float = _Z95) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the sorted values between which the true quantile lies, with 95 % confidence by default.

    How many values lie below the quantile is binomial; its normal approximation, rounded outwards, gives the ranks
    (W. J. Conover, Practical Nonparametric Statistics). None where the values have no such rank, and no bound.
    """
    middle, reach = count * quantile, z * sqrt(count * quantile * (1 - quantile))
    low, high = floor(middle - reach), ceil(middle + reach) + 1
    return (low if low >= 1 else None), (high if high <= count else None)


def interval_text(hits: int, count: int, *bounds: float | None) -> str:
    """The share with its interval: ``4.2 % (95 % sure: 3.1 % to 5.6 %) of 1,200``; ``bounds`` as in `share_text`."""
    low, high = wilson(hits, count)
    return f"{share_text(hits / count, *bounds)} (95 % sure: {share_text(low)} to {share_text(high)}) of {count:,}"
