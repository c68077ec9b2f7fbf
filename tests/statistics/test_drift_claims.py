"""What the drift clause promises, on seeded streams: no false alarm in stable lifetimes, shifts found in time."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drift_runs import Shifted, stable_lifetimes
from benchmarks.drift_streams import DAY, Shape, daily, normal, spiked


@pytest.mark.parametrize(("a_window", "reference"), [(5, 1_000), (100, 10_000)])
def test_stable_scores_raise_no_alarm_in_thirty_days(a_window: int, reference: int) -> None:
    cell = stable_lifetimes(np.random.default_rng(1), 3, a_window, reference, normal(), adwin=0)
    assert (cell.runs, cell.alarmed) == (3, 0)


@pytest.mark.parametrize(
    ("after", "minutes"), [(normal(0.5), 6), (normal(-0.3), 12), (normal(0.0, 1.5), 10), (spiked(0.05), 50)]
)
def test_a_shift_at_a_hundred_scores_a_minute_is_found_in_minutes_and_dated(after: Shape, minutes: int) -> None:
    found = Shifted(1, 100, 10_000, normal(), after, horizon=6 * 60, rivals=False).run(9)
    delays = found.by_name["Seamwatch"]
    assert np.median(delays) <= minutes
    assert delays.max() <= 3 * minutes
    assert np.median(np.abs(found.since_error)) <= 30


def test_a_shift_at_five_scores_a_minute_is_found_in_an_hour_or_so() -> None:
    found = Shifted(1, 5, 10_000, normal(), normal(0.5), rivals=False).run(9)
    assert np.median(found.by_name["Seamwatch"]) <= 75


def test_a_drift_spread_over_two_days_is_found_before_a_fifth_of_it() -> None:
    slow = normal(np.arange(2 * DAY) / (2 * DAY))
    found = Shifted(1, 100, 10_000, normal(), slow, horizon=2 * DAY, rivals=False).run(3)
    assert found.by_name["Seamwatch"].max() < 0.2 * 2 * DAY


def test_a_daily_cycle_hides_no_shift() -> None:
    found = Shifted(1, 100, 7 * DAY * 100, daily(0.3), daily(0.3, 0.3), horizon=6 * 60, rivals=False).run(3)
    assert np.median(found.by_name["Seamwatch"]) <= 15
