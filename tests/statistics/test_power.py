"""The move that is said to be found is found by the bets themselves, in as many windows; one of the floor is not."""

from __future__ import annotations

import numpy as np
import pytest

from seamwatch.statistics.ecusum import Band, Bank, alarmed, band_of, sets_of, update
from seamwatch.statistics.power import least_band, least_move

BINS = 25
SETS = sets_of(BINS)


def moved(band: Band, scores: float, windows: int) -> float | None:
    return least_move([band], BINS, scores=scores, windows=windows, alpha=0.01, lifetime=43_200, sets=SETS)


def found(band: Band, below: float, a_window: float, windows: int) -> bool:
    """Whether windows in which so large a share of the scores lies in the lower half, evenly, raise an alarm."""
    half = np.arange(BINS) < BINS // 2
    counts = np.where(half, below / half.sum(), (1 - below) / (~half).sum()) * a_window
    bank = Bank.fresh(SETS, 43_200)
    for number in range(windows):
        bank = update(bank, band, counts, number, alpha=0.01, lifetime=43_200)
        if alarmed(bank, 0.01):
            return True
    return False


@pytest.mark.parametrize(("scores", "windows"), [(2_000, 200), (20_000, 400), (600, 10)])
def test_what_is_said_to_be_found_is_found(scores: float, windows: int) -> None:
    band = band_of(np.full(BINS, 400.0), floor=0.02, alpha=0.01, phases=1, deff=1.0)
    move = moved(band, scores, windows)
    assert move is not None
    share = BINS // 2 / BINS
    assert found(band, share + move + 1e-9, scores / windows, windows)
    assert not found(band, share + 0.02, scores / windows, windows)


def test_more_scores_find_less_and_never_less_than_the_floor() -> None:
    band = least_band(BINS, floor=0.02, alpha=0.01, sets=SETS)
    found_all = [moved(band, n, 2_000) for n in (500, 5_000, 50_000, 5_000_000)]
    moves = [one for one in found_all if one is not None]
    assert len(moves) == 4
    assert moves == sorted(moves, reverse=True)
    assert moves[0] > 0.15
    assert 0.02 < moves[-1] < 0.12


def test_in_too_few_windows_nothing_is_found() -> None:
    band = least_band(BINS, floor=0.02, alpha=0.01, sets=SETS)
    assert moved(band, 100_000, 4) is None
    assert moved(band, 0, 50) is None
