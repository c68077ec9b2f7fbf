"""Calm: an ordinary fault is over when it is mended, and what comes and goes soon is one episode, in every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.patterns.calm import Stretch, quiet_of, went_outside
from tests.clauses.history import at, call, contract, decision, found

Episodes = list[tuple[int, int | None]]
"""Number of the first window, and of the one whose end it was over with; None while it is open."""


def episodes(pattern: str, window: int = HOUR, agreed: int | None = None) -> Episodes:
    """What windows make of a pattern: ``x`` outside, ``.`` within, `` `` not judged."""
    told: Episodes = []
    stretch: Stretch | None = None
    for number, what in enumerate(pattern):
        if what == "x":
            known, begun = stretch, number * window
            stretch = went_outside(stretch, begun, begun + window, window, agreed)
            if known is None or not known.open:
                told.append((number, None))
        elif what == "." and stretch is not None and stretch.open:
            stretch = stretch.within(number * window, window, agreed)
            if stretch.over is not None:
                told[-1] = (told[-1][0], stretch.over // window - 1)
    return told


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("..xxx.....x", [(2, 5), (10, None)]),  # mended, and broken another time: as soon as it is within
        ("x.x.x.x...", [(0, 1), (2, 9)]),  # flaps: three windows in a row from the second on
        ("x...x......x", [(0, 1), (4, 7), (11, None)]),
        ("x...x...x......", [(0, 1), (4, 7), (8, 14)]),  # flaps again: six windows
        ("x  . x", [(0, 3), (5, None)]),  # what is not judged says nothing
        ("x.x   . .   .", [(0, 1), (2, 12)]),  # and heals nothing
    ],
)
def test_by_default(pattern: str, expected: Episodes) -> None:
    assert episodes(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "agreed", "expected"),
    [
        ("x.x.x..", HOUR, [(0, 1), (2, 3), (4, 5)]),
        ("x.x.x..", 2 * HOUR, [(0, 6)]),
        ("xx.....x", 3 * HOUR, [(0, 4), (7, None)]),
        ("xx.....x", DAY, [(0, None)]),
        ("x     .", 3 * HOUR, [(0, None)]),  # one window within after a silence is not three
        ("x     ...", 3 * HOUR, [(0, 8)]),
        ("x.", MINUTE, [(0, 1)]),
    ],
)
def test_as_agreed(pattern: str, agreed: int, expected: Episodes) -> None:
    assert episodes(pattern, agreed=agreed) == expected


def test_short_windows_need_an_hour_and_long_ones_no_more_than_three() -> None:
    assert [quiet_of(None, MINUTE, n) // MINUTE for n in range(8)] == [0, 60, 120, 240, 480, 960, 1440, 1440]
    assert [quiet_of(None, 7 * DAY, n) // DAY for n in (1, 2, 9)] == [21, 21, 21]
    assert quiet_of(90 * MINUTE, MINUTE, 5) == 90 * MINUTE


@given(bad=st.integers(1, 4), good=st.integers(1, 11), window=st.sampled_from([MINUTE, HOUR]))
def test_what_comes_and_goes_soon_is_one_episode(bad: int, good: int, window: int) -> None:
    told = episodes(("x" * bad + "." * good) * 400, window)
    if (good - 1) * window >= quiet_of(None, window, 1):
        return  # it is quiet for long enough between any two
    assert len(told) <= 6
    assert told[-1][1] is None


def known(stretch: Stretch | None) -> tuple[int | None, ...]:
    return () if stretch is None else (stretch.start, stretch.until, stretch.flaps, stretch.over)


@given(pattern=st.text(alphabet="x. ", min_size=1, max_size=80), times=st.integers(1, 9))
def test_windows_of_one_kind_may_be_taken_together(pattern: str, times: int) -> None:
    """As `volume` does with the empty windows of a silence."""
    one = together = None
    for number, what in enumerate(pattern.replace(" ", ".")):
        begun = number * times
        if what == "x":
            for n in range(times):
                one = went_outside(one, (begun + n) * HOUR, (begun + n + 1) * HOUR, HOUR, None)
            together = went_outside(together, begun * HOUR, (begun + times) * HOUR, HOUR, None)
        elif one is not None and together is not None:
            for n in range(times):
                one = one.within((begun + n) * HOUR, HOUR, None) if one.open else one
            together = together.within(begun * HOUR, HOUR, None, times) if together.open else together
        assert known(one) == known(together)


def hourly(make: Callable[[int, bool, int], dict[str, Any]], each: int = 40) -> Iterator[dict[str, Any]]:
    """Two days of so many events an hour, of which every other hour is bad."""
    for hour in range(48):
        for number in range(each):
            yield make(hour, hour % 2 == 1, number) | {"event_time": at() + hour * HOUR + number * MINUTE}


def outcome(score: float, label: float) -> dict[str, Any]:
    return {
        "type": "outcome", "system": "scorer", "inference_id": "-", "observed_at": at(), "score": score, "label": label,
    }  # fmt: skip


def hovering() -> list[dict[str, Any]]:
    """Outcomes whose error is now a little above a tenth and now a little below."""
    head = [outcome(0.5, float(n % 5 < 3)) | {"event_time": at() + n * MINUTE} for n in range(1_000)]
    return head + [outcome(0.5, float(n % 10 < 6)) | {"event_time": at() + n * MINUTE} for n in range(1_000, 2_400)]


FLAPPING: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "signal": ("signal: latency, max: 800, window: 1h", list(hourly(lambda _h, bad, _n: decision(
        "1s", latency_ms=2_000 if bad else 300)))),
    "range": ("min: 0, max: 1, tolerate: 0.1, window: 1h", list(hourly(lambda _h, bad, n: decision(
        "1s", score=2.0 if bad and n % 4 == 0 else 0.5)))),
    "assertion": ("must: confidence > 0.5, at_least: 0.9, window: 1h", list(hourly(lambda _h, bad, n: decision(
        "1s", confidence=0.1 if bad and n % 4 == 0 else 0.9)))),
    "representation": ("of: inference, shares: {a: [0.4, 0.6]}, window: 1h", list(hourly(lambda _h, bad, n: decision(
        "1s", cohort="a" if not bad and n % 2 else "b")))),
    "calibration": ("max_error: 0.1, min_outcomes: 500, by: none", hovering()),
    "rate": ("max: 50, per: 1h", [
        call("1s", "x", f"t{hour}", event_time=at() + hour * HOUR + n * MINUTE // 2)
        for hour in range(48) for n in range(60 if hour % 2 else 20)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FLAPPING)
def test_of_every_kind_over_windows_what_flaps_is_few_episodes_or_one(kind: str) -> None:
    says, events = FLAPPING[kind]
    system = "agent" if kind == "rate" else "scorer"
    by_default = found(contract(system, f"- {{id: flaps, kind: {kind}, {says}}}"), events)
    assert 1 <= len(by_default) <= 2 + (kind == "calibration")
    assert by_default[-1].state == "open"
    (agreed,) = found(contract(system, f"- {{id: flaps, kind: {kind}, {says}, quiet: 6h}}"), events)
    assert (agreed.violation_id, agreed.opened_at) == (by_default[0].violation_id, by_default[0].opened_at)


def test_what_comes_in_bursts_is_one_breach_of_too_few_and_one_of_too_many() -> None:
    """A feed that delivers every other hour, twice as much."""
    events = list(hourly(lambda _h, bad, n: decision("1s", subject="late" if bad else f"s{n}")))
    events = [event for event in events if event["subject"] != "late"]
    violations = found(contract("scorer", "- {id: flaps, kind: volume, of: inference, min: 10, max: 30}"), events)
    few = [v for v in violations if "at least" in v.summary]
    many = [v for v in violations if "at most" in v.summary]
    assert (len(few), len(many)) == (2, 2)
    assert {v.state for v in (few[-1], many[-1])} == {"open"}
    agreed = found(
        contract("scorer", "- {id: flaps, kind: volume, of: inference, min: 10, max: 30, quiet: 6h}"), events
    )
    assert len(agreed) == 2


def test_a_burst_and_then_silence_ends_when_it_has_been_quiet_for_long_enough() -> None:
    clauses = contract("scorer", "- {id: busy, kind: volume, of: inference, max: 30, quiet: 5h}")
    violations = found(clauses, [decision("1h", event_time=at("1h") + n) for n in range(40)], now="9d")
    assert [(v.opened_at, v.resolved_at) for v in violations] == [(at("2h"), at("7h"))]
