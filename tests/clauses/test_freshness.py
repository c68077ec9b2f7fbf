"""Freshness: the dataset's clock runs out in silence; stale decisions are found one by one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import HOUR, MINUTE
from tests.clauses.history import T0, at, brief, contract, decision, found

CLOCK = contract("claims", "- {id: fresh, kind: freshness, max_lag: 26h, warn_at: 25h}")
DECISIONS = contract("scorer", "- {id: fresh, kind: freshness, max_lag: 26h, warn_at: 24h, of: inference}")


def refresh(offset: str, as_of: str = "") -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": "claims", "data_as_of": at(as_of or offset),
        "row_count": 10,
    }  # fmt: skip


def test_nine_silent_days_warn_once_and_breach_once() -> None:
    violations = found(CLOCK, [refresh("1h")], now="9d3h")

    assert brief(violations) == [
        ("claims", "warning", "open", 26 * HOUR),
        ("claims", "breach", "open", 27 * HOUR),
    ]
    breach = violations[1]
    assert (breach.limit, breach.unit, breach.since, breach.person) == (93_600, "s", at("1h"), "owner@example.org")
    assert "agreed limit 26 h" in breach.summary
    assert breach.detected_at == breach.opened_at


def test_the_clock_does_not_breach_before_its_limit() -> None:
    assert brief(found(CLOCK, [refresh("1h")], now="25h59m")) == []
    assert len(found(CLOCK, [refresh("1h")], now="27h")) == 2


def test_a_refresh_in_time_keeps_it_silent() -> None:
    assert found(CLOCK, [refresh("1h"), refresh("24h"), refresh("48h")], now="2d1h") == []


def test_a_late_refresh_resolves_and_says_how_old_the_data_was() -> None:
    violations = found(CLOCK, [refresh("1h"), refresh("31h")], now="32h")
    assert brief(violations) == [
        ("claims", "warning", "resolved", 26 * HOUR),
        ("claims", "breach", "resolved", 27 * HOUR),
    ]
    assert violations[1].resolved_at == at("31h")
    assert "30 h old" in violations[1].summary


def test_the_newest_data_counts_not_the_latest_message() -> None:
    # A late delivery of old data neither helps nor harms.
    violations = found(CLOCK, [refresh("2h"), refresh("10h", as_of="1h")], now="28h30m")
    assert [v.opened_at - T0 for v in violations] == [27 * HOUR, 28 * HOUR]


def test_data_that_is_stale_when_it_arrives_breaches_at_its_own_limit() -> None:
    violations = found(CLOCK, [refresh("9d", as_of="1h")])
    assert [v.opened_at - T0 for v in violations] == [26 * HOUR, 27 * HOUR]
    assert violations[1].detected_at == at("9d")


def test_decisions_on_stale_data_are_one_episode_with_the_earliest_five() -> None:
    events = [
        decision(f"{30 + i}h", event_id=f"d{i}", data_as_of=at("1h") if i % 2 else at(f"{29 + i}h")) for i in range(20)
    ]
    violations = found(DECISIONS, events)
    assert brief(violations) == [(None, "breach", "open", 31 * HOUR)]
    assert [e.event_id for e in violations[0].evidence] == ["d1", "d3", "d5", "d7", "d9"]
    assert violations[0].observed == 30 * 3600


def test_a_decision_that_does_not_say_how_old_its_data_is_is_not_judged() -> None:
    assert found(DECISIONS, [decision("1h"), decision("2h", data_as_of=None)]) == []


def test_warning_and_breach_on_decisions_are_two_episodes() -> None:
    events = [decision("25h", data_as_of=T0), decision("27h", data_as_of=T0)]
    assert brief(found(DECISIONS, events)) == [
        (None, "warning", "open", 25 * HOUR),
        (None, "breach", "open", 27 * HOUR),
    ]


@given(st.lists(st.integers(0, 6 * 24 * 60), min_size=1, max_size=8, unique=True))
def test_the_clock_breaches_exactly_in_each_gap_longer_than_its_limit(minutes: list[int]) -> None:
    times = sorted(minutes)
    violations = found(
        CLOCK,
        [{**refresh("1m"), "event_time": T0 + m * MINUTE, "data_as_of": T0 + m * MINUTE} for m in times],
        now="8d",
    )
    gaps = [a for a, b in zip(times, [*times[1:], 8 * 24 * 60], strict=True) if b - a > 26 * 60]
    assert [v.opened_at - T0 for v in violations if v.severity == "breach"] == [g * MINUTE + 26 * HOUR for g in gaps]
