"""Seeded streams of scores for the drift benchmark, as counts a minute over 100 fine bins of [0, 1].

Shapes of scores, what may happen to them, and a sample of a reference. Judges nothing. A hundred bins are fine enough
for every rival (a bin is a fifteenth of a standard deviation wide) and make thirty days a matter of a second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from seamwatch.statistics.histograms import Reference

Counts = NDArray[np.int64]
Shape = NDArray[np.float64]
"""Probability of each fine bin, of shape (…, FINE)."""

FINE = 100
BINS = 25
DAY = 1_440
"""Minutes."""
MEAN, SD = 0.5, 0.15
_EDGES = np.linspace(0, 1, FINE + 1)


def normal(shift: float | NDArray[np.float64] = 0.0, spread: float = 1.0) -> Shape:
    """Scores around 0.5 with standard deviation 0.15, moved by ``shift`` and widened ``spread`` times.

    What lies beyond 0 and 1 is in the first and last bin, as scores that are clipped. An array of shifts gives an
    array of shapes.
    """
    centre = MEAN + SD * np.asarray(shift, dtype=np.float64)[..., None]
    below = ndtr((_EDGES - centre) / (SD * spread))
    below[..., 0], below[..., -1] = 0.0, 1.0
    return np.diff(below, axis=-1)


def moved(share: float, away: float) -> Shape:
    """The same scores but for a share of them, which have become another group's.

    Its mean is ``away`` standard deviations from that of the scores, and it is a third as wide as they are.
    """
    return (1 - share) * normal() + share * normal(away, 1 / 3)


def spiked(share: float) -> Shape:
    """The same scores but for a share of them, which are all 0.71: a default value."""
    shape = (1 - share) * normal()
    shape[71] += share
    return shape


def daily(amplitude: float, shift: float = 0.0) -> Shape:
    """Shapes of each minute of a day, of shape (DAY, FINE), whose mean goes up and down once a day."""
    return normal(shift + amplitude * np.sin(2 * np.pi * np.arange(DAY) / DAY))


def counts(rng: np.random.Generator, scores: int | Counts, shape: Shape, size: tuple[int, ...]) -> Counts:
    """Fine counts of windows of so many scores: shape (*size, FINE)."""
    sampled: Counts = rng.multinomial(scores, np.broadcast_to(shape, (*size, FINE)))
    return sampled


def coarse(fine: Counts) -> Counts:
    """The clause's 25 bins of fine counts."""
    folded: Counts = fine.reshape(*fine.shape[:-1], BINS, FINE // BINS).sum(axis=-1)
    return folded


def absent(rng: np.random.Generator, scores: Counts, share: float, *, bursts: bool = False) -> Counts:
    """Decisions without a score beside so many with one, such that they are this share of all; none for 0.

    ``bursts``: minute by minute by another share, as where a batch fails as a whole.
    """
    if not share:
        return np.zeros_like(scores)
    odds = share / (1 - share)
    drawn: Counts = rng.poisson(scores * (rng.gamma(0.5, 2, scores.shape) * odds if bursts else odds))
    return drawn


def sample(
    rng: np.random.Generator, scores: int, a_window: int, shape: Shape, missing: float = 0.0, *, bursts: bool = False
) -> tuple[Reference, Counts]:
    """A reference of so many scores that came so many a minute from midnight on, and its fine counts.

    ``shape`` of shape (FINE,) or, for a daily cycle, (DAY, FINE); ``missing`` and ``bursts`` as in `absent`.
    """
    windows = max(1, scores // a_window)
    by_minute = np.broadcast_to(shape, (DAY, FINE))
    fine = np.concatenate(
        [
            rng.multinomial(min(scores, a_window), by_minute[np.arange(at, min(at + DAY, windows)) % DAY])
            for at in range(0, windows, DAY)
        ]
    )
    hours = np.arange(windows) % DAY // 60
    folded = coarse(fine)
    histograms = np.zeros((24, BINS), dtype=np.int64)
    np.add.at(histograms, hours, folded)
    totals = folded @ np.arange(BINS)
    present = folded.sum(axis=1)
    without = absent(rng, present, missing, bursts=bursts)
    absence = Reference(
        tuple(
            zip(
                np.bincount(hours, weights=present, minlength=24).astype(int).tolist(),
                np.bincount(hours, weights=without, minlength=24).astype(int).tolist(),
                strict=True,
            )
        ),
        tuple(np.bincount(hours, minlength=24).tolist()),
        tuple(np.bincount(hours, weights=without**2 / (present + without), minlength=24).tolist()),
    )
    reference = Reference(
        tuple(tuple(row) for row in histograms.tolist()),
        tuple(np.bincount(hours, minlength=24).tolist()),
        tuple(np.bincount(hours, weights=totals**2 / present, minlength=24).tolist()),
        absence,
    )
    return reference, fine.sum(axis=0)
