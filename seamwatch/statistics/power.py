"""Power: which move of a share the bets of a `distribution` clause are sure to find in so many windows.

From the bands of `seamwatch.statistics.ecusum` and a rate of scores to the smallest such move. By what a bet gains on
average: the day on which an alarm comes varies about that. Several sets move together and their bets add up, so the
alarm mostly comes sooner. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seamwatch.statistics.ecusum import BETS, LEAST_WINDOWS, MAX_EFFECTIVE, Band, band_of

FEWEST: int = 1_000
"""A reference of first scores takes so many at least."""


def least_band(bins: int, *, floor: float, alpha: float, sets: int) -> Band:
    """The band of as few first scores as a reference may have, spread evenly: none of more of them is wider.

    That scores are independent of each other is assumed.
    """
    return band_of(np.full(bins, FEWEST / bins), floor=floor, alpha=alpha, phases=1, deff=1.0, sets=sets)


def least_move(
    bands: Sequence[Band], bins: int, *, scores: float, windows: int, alpha: float, lifetime: int, sets: int
) -> float | None:
    """Every pass rate that moves by more than this is found within so many ``windows`` that hold ``scores`` together.

    Of all cut-offs the one at which a move is found last, in the worst phase of the day. None where there are too few
    windows for any alarm, or no scores. ``lifetime``: in windows; ``sets``: those of all histograms of the clause.
    """
    if windows < LEAST_WINDOWS or scores <= 0:
        return None
    needed = float(np.log(lifetime * sets * len(BETS) * 2 / alpha))
    worst = 0.0
    for band in bands:
        cuts = slice(0, 2 * (bins - 1))
        effective = windows * min(scores / windows / float(band.deff), MAX_EFFECTIVE)
        # What a bet gains by a score is linear in the share that the set has now.
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (needed / effective - np.log1p(-BETS)) / band.edge[cuts]
        found = np.minimum(np.nan_to_num(share, nan=1.0, posinf=1.0).min(axis=-1), 1.0)
        worst = max(worst, float((found - band.share[cuts]).max()))
    return worst
