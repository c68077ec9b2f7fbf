"""Figures and intervals are those of the literature: worked examples, coverage, and the ends."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from sinks.store.questions.cards.estimates import area, mean, share


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_shares_have_the_intervals_of_the_published_table(hits: int, count: int, low: float, high: float) -> None:
    found = share(hits, count)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_the_area_is_that_of_the_published_ratings() -> None:
    # J. A. Hanley and B. J. McNeil, The meaning and use of the area under a ROC curve (1982), table I: 109 CT images.
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    won = sum(
        a * n * (1.0 if rated > other else 0.5 if rated == other else 0.0)
        for (rated, a), (other, n) in product(enumerate(abnormal), enumerate(normal))
    )
    found = area(won, 51, 58)
    assert found is not None
    assert found.value == pytest.approx(0.893, abs=5e-4)
    assert found.low is not None
    assert found.high is not None
    # Their standard error is 0.032; this interval is about as wide, and lies further from the end.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.032, rel=0.15)
    assert found.value - found.low > found.high - found.value


def test_what_is_ranked_right_throughout_is_not_sure_for_that() -> None:
    few, many = area(9.0, 3, 3), area(90_000.0, 300, 300)
    assert few is not None
    assert many is not None
    assert (few.value, few.high, many.value, many.high) == (1.0, 1.0, 1.0, 1.0)
    assert few.low is not None
    assert many.low is not None
    assert few.low < 0.7 < 0.97 < many.low < 1.0


def test_the_interval_of_the_area_holds_what_it_promises() -> None:
    random, truth, held = np.random.default_rng(7), 0.7602499389065233, 0  # of normals one standard deviation apart
    for _ in range(400):
        positives, negatives = random.normal(1, 1, 30), random.normal(0, 1, 40)
        found = area(float((positives[:, None] > negatives).sum()), 30, 40)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.99


def test_a_mean_has_students_interval() -> None:
    # Student's own example (1908), of additional hours of sleep, brought into [0, 1]; t with 9 degrees is 2.262.
    hours = [value / 10 for value in (0.7, 1.6, 0.2, 1.2, 0.1, 3.4, 3.7, 0.8, 0.0, 2.0)]
    found = mean(sum(hours), sum(value * value for value in hours), len(hours))
    assert found is not None
    deviation = float(np.std(hours, ddof=1))
    assert found.value == pytest.approx(np.mean(hours))
    assert found.high == pytest.approx(float(np.mean(hours)) + 2.2621571628 * deviation / 10**0.5)


def test_of_nothing_and_of_one_nothing_is_claimed() -> None:
    assert share(0, 0) is mean(0.0, 0.0, 0) is area(0.0, 0, 5) is area(0.0, 5, 0) is None
    alone = mean(0.3, 0.09, 1)
    assert alone is not None
    assert (alone.value, alone.low, alone.high) == (0.3, None, None)
    alike = mean(4 * 0.3, 4 * 0.09, 4)
    assert alike is not None
    assert (alike.low, alike.high) == (None, None)


def test_more_events_make_surer() -> None:
    found = [area(0.8 * n * n, n, n) for n in (10, 40, 160)]
    widths = [one.high - one.low for one in found if one is not None and one.high is not None and one.low is not None]
    assert len(widths) == 3
    assert all(wide > narrow for wide, narrow in pairwise(widths))
