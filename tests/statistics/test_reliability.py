"""Reliability: the error by hand, an interval that holds its promise, and the same sums in any order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.statistics.reliability import BILLION, Reliability

BINS = 10


def binned(pairs: list[tuple[float, float]]) -> Reliability:
    counts, said, happened = [0] * BINS, [0] * BINS, [0] * BINS
    for score, label in pairs:
        place = min(int(score * BINS), BINS - 1)
        counts[place] += 1
        said[place] += round(score * BILLION)
        happened[place] += round(label * BILLION)
    return Reliability(tuple(counts), tuple(said), tuple(happened))


def test_the_error_by_hand() -> None:
    found = binned([(0.9, 1), (0.9, 1), (0.9, 1), (0.9, 0), *[(0.2, 1)] * 3, *[(0.2, 0)] * 3])
    assert found.error() == pytest.approx(0.24)
    assert found.worst() == 2
    assert found.of_bin(2) == pytest.approx((0.2, 0.5))
    assert Reliability().interval() == (0, 1)


@pytest.mark.parametrize("shift", [0.0, 0.05, -0.1, 0.25])
@pytest.mark.parametrize("size", [100, 1_000])
def test_the_interval_holds_the_true_error_nineteen_times_in_twenty(size: int, shift: float) -> None:
    chance, held, errors, by_chance = Random(17), 0, 0.0, 0.0
    for _ in range(200):
        scores = [chance.random() for _ in range(size)]
        truth = [min(1.0, max(0.0, score + shift)) for score in scores]
        found = binned([(s, float(chance.random() < t)) for s, t in zip(scores, truth, strict=True)])
        exact = binned(list(zip(scores, truth, strict=True))).error()
        low, high = found.interval()
        held += low <= exact <= high
        errors += found.error()
        by_chance += found.chance()
    assert held >= 0.93 * 200
    if not shift:
        assert errors / by_chance == pytest.approx(1, abs=0.1)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60), st.integers(0, 60))
def test_parts_add_up_to_the_whole_exactly(pairs: list[tuple[float, float]], cut: int) -> None:
    left, right = binned(pairs[:cut]), binned(pairs[cut:])
    both = Reliability().plus(left.counts, left.said, left.happened).plus(right.counts, right.said, right.happened)
    assert both == binned(pairs)
    low, high = both.interval()
    assert 0 <= low <= both.error() <= high <= 1
