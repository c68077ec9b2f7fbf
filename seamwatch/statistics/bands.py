"""Bands: what a reference allows, by phase of day, and how much its scores say together.

From the counts of `seamwatch.statistics.histograms` to the bands of `seamwatch.statistics.ecusum`: whether the day
has a cycle, and the design effect. No clock, no I/O.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from seamwatch.statistics.ecusum import Band, Floats, band_of
from seamwatch.statistics.histograms import HOURS, Reference

_PHASES = (24, 8)
_LEAST_A_PHASE = 1_000
_PARTS = 8
_LEAST_A_PART = 30


@lru_cache(maxsize=1024)
def bands_of(
    reference: Reference, *, floor: float, alpha: float, daily_cycle: bool, sets: int | None = None
) -> tuple[Band, ...]:
    """The band of each phase of day, first phase first: 24, 8 or 1 of them; ``sets`` as in `band_of`.

    Pure and costly (hundreds of beta quantiles), so kept for as long as the reference stays the same.
    """
    hours = np.array(reference.hours, dtype=np.float64)
    phases = phases_of(hours, daily_cycle)
    counts = hours.reshape(phases, HOURS // phases, -1).sum(axis=1)
    windows, squares = (
        np.array(values, dtype=np.float64).reshape(phases, -1).sum(axis=1)
        for values in (reference.windows, reference.squares)
    )
    deff = design_effect(windows, counts, squares)
    return tuple(band_of(c, floor=floor, alpha=alpha, phases=phases, deff=deff, sets=sets) for c in counts)


@lru_cache(maxsize=8192)
def worst_of(reference: Reference, *, floor: float, alpha: float) -> Band:
    """One band for all of the day over two bins, by the largest share of the second in any part of three hours.

    Of the parts only those with 30 counts or more say anything by themselves. Less of the second bin is no move: the
    limits of the first are 1. The design effect is that within the parts.
    """
    parts = np.array(reference.hours, dtype=np.float64).reshape(_PARTS, HOURS // _PARTS, -1).sum(axis=1)
    windows, squares = (
        np.array(values, dtype=np.float64).reshape(_PARTS, -1).sum(axis=1)
        for values in (reference.windows, reference.squares)
    )
    whole = parts.sum(axis=0)
    deff = design_effect(windows, parts, squares)
    pooled = band_of(whole, floor=floor, alpha=alpha, phases=1, deff=deff, sets=1)
    held = parts[parts.sum(axis=1) >= _LEAST_A_PART]
    highest = float((held[:, 1] / held.sum(axis=1)).max()) if len(held) else 0.0
    # Of the sets of two bins every other one is of the second.
    hi = np.ones_like(pooled.hi)
    hi[1::2] = np.minimum(np.maximum(pooled.hi[1::2], highest + floor), 1.0)
    return Band.of(pooled.share, hi, deff)


def phase_of(bands: tuple[Band, ...], hour: int) -> Band:
    """The band that an hour of day, 0 to 23, belongs to."""
    return bands[hour * len(bands) // HOURS]


def phases_of(hours: Floats, daily_cycle: bool) -> int:
    """24, 8 or 1 phases of the day, from reference counts by hour of shape (24, B).

    A cycle counts when each phase has at least 1,000 scores and some phase's distribution is further from the
    pooled one than √(log(40·P)/(2n)): splitting without need costs power.
    """
    if not daily_cycle:
        return 1
    pooled = np.cumsum(hours.sum(axis=0)) / max(1.0, hours.sum())
    for phases in _PHASES:
        counts = hours.reshape(phases, HOURS // phases, -1).sum(axis=1)
        sizes = counts.sum(axis=1)
        if sizes.min() < _LEAST_A_PHASE:
            continue
        apart = np.abs(np.cumsum(counts, axis=1) / sizes[:, None] - pooled).max(axis=1)
        if np.any(apart > np.sqrt(np.log(40 * phases) / (2 * sizes))):
            return phases
    return 1


def design_effect(windows: Floats, counts: Floats, squares: Floats) -> float:
    """How many scores of the reference say as much as one independent score; at least 1.

    ``windows`` and ``squares`` of shape (P,), one entry a phase of day: the number of windows and Σsᵢ²/nᵢ over them,
    sᵢ the sum of the bins' numbers of a window's nᵢ scores; ``counts`` of shape (P, B). The mean square between
    windows of the same phase over the variance within the phase, as in a one-way analysis of variance.
    """
    places = np.arange(counts.shape[-1])
    sizes, sums, powers = counts.sum(axis=1), counts @ places, counts @ places**2
    held = (sizes > 0) & (windows > 1)
    if not held.any():
        return 1.0
    between = float((squares[held] - sums[held] ** 2 / sizes[held]).sum()) / float((windows[held] - 1).sum())
    variance = float((powers[held] - sums[held] ** 2 / sizes[held]).sum()) / float(sizes[held].sum())
    # To four places: whoever summed the squares in another order must come to the same band.
    return max(1.0, round(between / variance, 4)) if variance > 0 else 1.0
