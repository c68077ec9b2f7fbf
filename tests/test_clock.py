"""Clocks: scaled time neither jumps nor runs back, ends where its text says, and is the same for all who read it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.clock import FollowedClock, ScaledClock, SystemClock, clock_of, scaled_clock, setting_of
from seamwatch.errors import UsageError

TIMES = st.integers(0, 4 * 10**15)
RATES = st.floats(1e-3, 1e6)
SPANS = st.integers(0, 30 * 86_400 * 10**6)
CLOCKS = st.builds(
    lambda origin, wall, rate, span: ScaledClock(origin, wall, rate, None if span is None else origin + span),
    TIMES, TIMES, RATES, st.none() | SPANS,
)  # fmt: skip


@given(CLOCKS)
def test_the_text_is_read_back_as_the_same_clock(clock: ScaledClock) -> None:
    assert clock_of(clock.setting()) == clock
    assert setting_of(clock) == clock.setting()


@given(CLOCKS, st.integers(-(10**13), 10**13), st.integers(0, 10**10))
def test_time_never_runs_back_and_is_never_faster_than_its_rate(clock: ScaledClock, wall: int, later: int) -> None:
    wall += clock.wall_origin
    passed = clock.at(wall + later) - clock.at(wall)
    # A float holds 53 bits of what has passed since the origin.
    assert 0 <= passed <= later * max(clock.rate, 1.0) * (1 + 1e-9) + max(clock.rate, 1.0) + 3


@given(TIMES, TIMES, RATES, SPANS, st.integers(0, 10**12))
def test_from_its_end_on_it_runs_as_the_wall_does(origin: int, wall: int, rate: float, span: int, later: int) -> None:
    fast, clock = ScaledClock(origin, wall, rate), ScaledClock(origin, wall, rate, origin + span)
    turned = wall + round(span / rate)
    before, after = turned - 1 - round(1 / rate), turned + 1 + round(1 / rate)
    assert clock.at(before) == fast.at(before)
    assert abs(clock.at(after) - (origin + span)) <= 2 + 2 * max(1.0, 1 / rate) + rate
    assert clock.at(after + later) == clock.at(after) + later


def test_a_day_of_five_seconds_until_the_second_day_and_then_true_seconds() -> None:
    day, second = 86_400_000_000, 1_000_000
    clock = scaled_clock(f"0,0,17280,{2 * day}")
    assert [clock.at(wall * second) for wall in (0, 5, 10, 11, 70)] == [
        0, day, 2 * day, 2 * day + second, 2 * day + 60 * second
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["1,2", "1,2,3,4,5", "1,2,x", "1,2,3,", "1,2,0", "1,2,-1", "1,2,nan", "1,2,inf", "@"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="SEAMWATCH_CLOCK"):
        clock_of(text)


def test_no_setting_is_the_clock_of_the_machine() -> None:
    assert [clock_of(None), clock_of("")] == [SystemClock(), SystemClock()]
    assert setting_of(SystemClock()) is None


def test_the_text_of_a_record_opens_no_file(tmp_path: Path) -> None:
    held = tmp_path / "clock"
    held.write_text("1,2,3")
    with pytest.raises(UsageError, match="write <origin>"):
        scaled_clock(f"@{held}")


def put(file: Path, clock: ScaledClock) -> None:
    new = file.with_suffix(".new")
    new.write_text(clock.setting())
    new.replace(file)


def test_all_who_follow_a_file_slow_down_when_it_says_when(tmp_path: Path) -> None:
    file, fast = tmp_path / "clock", ScaledClock(0, 0, 1000.0)
    put(file, fast)
    clocks = [clock_of(f"@{file}") for _ in range(3)]
    assert {clock.at(5_000) for clock in clocks} == {5_000_000}
    ended = ScaledClock(0, 0, 1000.0, 6_000_000)
    put(file, ended)
    assert {clock.at(5_000) for clock in clocks} == {5_000_000}
    assert {clock.at(7_000) for clock in clocks} == {6_001_000}
    assert [setting_of(clock) for clock in clocks] == [ended.setting()] * 3


def test_what_was_read_last_holds_when_the_file_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    put(file, ScaledClock(0, 0, 1000.0))
    clock = FollowedClock(file)
    file.unlink()
    assert clock.at(5_000) == 5_000_000
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        FollowedClock(file)


def test_a_clock_that_is_told_too_late_stands_and_does_not_run_back(tmp_path: Path) -> None:
    file, begun = tmp_path / "clock", time.time_ns() // 1_000
    fast = ScaledClock(0, begun, 1000.0)
    put(file, fast)
    clock = FollowedClock(file)
    seen = clock.now()
    put(file, ScaledClock(0, begun, 1000.0, seen // 2))
    assert clock.at(begun + 10**9) < seen + 10**9
    assert clock.now() == seen
