"""The e-CUSUM bank: quiet without a shift, quick with one, and honest about small references."""

from __future__ import annotations

import numpy as np
import pytest

from seamwatch.statistics import bands, ecusum

LIFETIME = 43_200
BINS = 25


def histogram(scores: np.ndarray) -> ecusum.Floats:
    return np.histogram(np.clip(scores, 0, 1), bins=BINS, range=(0, 1))[0].astype(np.float64)


def scores(rng: np.random.Generator, n: int, shift: float = 0.0) -> np.ndarray:
    return 0.5 + shift * 0.15 + 0.15 * rng.standard_normal(n)


def delay(shift: float, n: int, seed: int, windows: int = 600) -> int | None:
    rng = np.random.default_rng(seed)
    band = ecusum.band_of(histogram(scores(rng, 10_000)), floor=0.02, alpha=0.01, phases=1, deff=1.0)
    bank = ecusum.Bank.fresh(len(band.hi), LIFETIME)
    for index in range(windows):
        bank = ecusum.update(bank, band, histogram(scores(rng, n, shift)), index, alpha=0.01, lifetime=LIFETIME)
        if ecusum.alarmed(bank, 0.01):
            return index + 1
    return None


def test_half_a_standard_deviation_is_found_within_minutes() -> None:
    delays = [delay(0.5, 100, seed) for seed in range(9)]
    assert np.median([d or 10_000 for d in delays]) <= 6


def test_without_a_shift_nothing_is_found() -> None:
    assert [delay(0.0, 100, seed, windows=2_000) for seed in range(5)] == [None] * 5


def test_one_burst_cannot_page() -> None:
    rng = np.random.default_rng(1)
    band = ecusum.band_of(histogram(scores(rng, 10_000)), floor=0.02, alpha=0.01, phases=1, deff=1.0)
    bank = ecusum.Bank.fresh(len(band.hi), LIFETIME)
    burst = np.zeros(BINS)
    burst[3] = 1_000_000
    for index in range(4):
        bank = ecusum.update(bank, band, burst, index, alpha=0.01, lifetime=LIFETIME)
        assert not ecusum.alarmed(bank, 0.01)


def test_the_band_holds_the_reference_with_its_uncertainty() -> None:
    # Here, since each worker that collects this file would wait a second for it.
    from scipy.stats import binom

    counts = np.full(BINS, 40.0)
    band = ecusum.band_of(counts, floor=0.02, alpha=0.01, phases=1, deff=1.0)
    assert band.share[0] == pytest.approx(0.04)
    level = 0.005 / len(band.hi)
    # Clopper and Pearson: at the upper limit, so few as were seen have exactly the level's probability.
    assert binom.cdf(40, 1000, band.hi[0]) == pytest.approx(level, rel=1e-6)
    wide = ecusum.band_of(counts, floor=0.02, alpha=0.01, phases=1, deff=4.0)
    assert np.all(wide.hi >= band.hi)


def test_sets_count_cuts_complements_and_bins() -> None:
    counts = np.array([1.0, 2.0, 3.0])
    assert ecusum.set_counts(counts).tolist() == [1, 3, 5, 3, 1, 2, 3]
    assert ecusum.set_name(0, 3, 0, 3) == "at or below 1"
    assert ecusum.set_name(2, 3, 0, 3) == "above 1"
    assert ecusum.set_name(6, 3, 0, 3) == "between 2 and 3"


def test_windows_that_move_together_say_less_than_their_scores() -> None:
    rng = np.random.default_rng(2)
    n, windows = 50, 400
    common = rng.standard_normal(windows)
    single = np.clip(np.rint(rng.standard_normal((windows, n)) * 3 + common[:, None] * 3) + 12, 0, 24).astype(int)
    counts = np.stack([np.bincount(row, minlength=BINS) for row in single]).astype(np.float64)
    squares = ((counts @ np.arange(BINS)) ** 2 / n).sum()
    deff = bands.design_effect(np.array([float(windows)]), counts.sum(axis=0, keepdims=True), np.array([squares]))
    # Each window's mean has variance 1 + 1/n; n of it over a variance of 2.
    assert deff == pytest.approx(n * (1 + 1 / n) / 2, rel=0.15)


def test_a_daily_cycle_is_seen_only_when_it_is_there() -> None:
    rng = np.random.default_rng(3)
    flat = np.stack([histogram(scores(rng, 3_000)) for _ in range(24)])
    wave = np.stack([histogram(scores(rng, 3_000, 0.3 * np.sin(h / 24 * 2 * np.pi))) for h in range(24)])
    assert bands.phases_of(flat, True) == 1
    assert bands.phases_of(wave, True) == 24
    assert bands.phases_of(wave / 3.5, True) == 8
    assert bands.phases_of(wave, False) == 1
