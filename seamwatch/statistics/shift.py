"""What has moved, by how much and how surely: recent windows beside the reference of their hours of day.

Describes; whether there is a shift at all is `seamwatch.statistics.ecusum`. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from seamwatch.statistics.bands import phase_of
from seamwatch.statistics.ecusum import Band, Floats, set_counts
from seamwatch.statistics.histograms import HOURS, Reference

Hourly = Sequence[tuple[int, Sequence[int]]]
"""Windows that hold scores: hour of day and histogram."""
_ERROR = 0.05


@dataclass(frozen=True, slots=True)
class Moved:
    """One bin, by its number: its share when approved and now."""

    bin: int
    approved: float
    now: float


@dataclass(frozen=True, slots=True)
class Shift:
    """One set's share when approved, its limit, and now with a 95 % interval (Clopper and Pearson).

    ``distance``: the largest difference of any pass rate (Kolmogorov and Smirnov) and the half width of its 95 %
    interval (Dvoretzky, Kiefer and Wolfowitz, for both samples); ``moved``: the five bins that moved most, largest
    first, fewer where fewer moved. All counts are of ``scores`` scores; intervals take the design effect into account.
    """

    approved: float
    limit: float
    now: float
    interval: tuple[float, float]
    distance: float
    half_width: float
    moved: tuple[Moved, ...]
    scores: int


def shift_of(reference: Reference, bands: tuple[Band, ...], windows: Hourly, best: int) -> Shift:
    """What set ``best`` and the whole distribution look like over these windows, beside their reference."""
    counts, expected, limits = _together(reference, bands, windows)
    total, deff = float(counts.sum()), float(bands[0].deff)
    now, approved = counts / total, expected / total
    share = float(set_counts(now)[best])
    known = max(1.0, float(np.sum(reference.hours)) / deff)
    seen = max(1.0, total / deff)
    order = np.argsort(-np.abs(now - approved), kind="stable")[:5]
    return Shift(
        float(set_counts(approved)[best]),
        float(limits[best]),
        share,
        _interval(share, seen),
        float(np.abs(np.cumsum(now) - np.cumsum(approved)).max()),
        float(np.sqrt(np.log(2 / _ERROR) / 2 * (1 / seen + 1 / known))),
        tuple(
            Moved(int(place), float(approved[place]), float(now[place]))
            for place in order
            if now[place] != approved[place]
        ),
        int(total),
    )


def within(reference: Reference, bands: tuple[Band, ...], windows: Hourly) -> bool:
    """Whether the scores of these windows lie within the bands, allowing two standard errors for their own noise."""
    counts, _, limits = _together(reference, bands, windows)
    total = float(counts.sum())
    noise = np.sqrt(limits * (1 - limits) / (total / float(bands[0].deff)))
    return bool(np.all(set_counts(counts) / total <= limits + 2 * noise))


def _together(reference: Reference, bands: tuple[Band, ...], windows: Hourly) -> tuple[Floats, Floats, Floats]:
    """Counts by bin, counts that the reference of the same hours would have given, and limits by set."""
    hours = np.array([hour for hour, _ in windows])
    counts = np.array([histogram for _, histogram in windows], dtype=np.float64)
    sizes = np.bincount(hours, weights=counts.sum(axis=1), minlength=HOURS)
    known = np.array(reference.hours, dtype=np.float64).reshape(len(bands), HOURS // len(bands), -1).sum(axis=1)
    shares = known / np.maximum(1.0, known.sum(axis=1, keepdims=True))
    by_phase = sizes.reshape(len(bands), -1).sum(axis=1)
    limits = np.stack([phase_of(bands, phase * HOURS // len(bands)).hi for phase in range(len(bands))])
    return counts.sum(axis=0), by_phase @ shares, by_phase @ limits / sizes.sum()


def _interval(share: float, total: float) -> tuple[float, float]:
    inside, outside = share * total, (1 - share) * total
    low = float(betaincinv(inside, outside + 1, _ERROR / 2)) if inside > 0 else 0.0
    high = float(betaincinv(inside + 1, outside, 1 - _ERROR / 2)) if outside > 0 else 1.0
    return low, high
