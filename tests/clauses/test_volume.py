"""Volume: events in windows, silence included; rows of refreshes in windows or one by one."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.durations import HOUR
from tests.clauses.history import at, brief, call, contract, decision, found

HOURLY = contract("scorer", "- {id: enough, kind: volume, of: inference, min: 3, max: 5, per: 1h}")


def hour(number: int, count: int) -> list[dict[str, Any]]:
    return [decision(f"{number * 60 + 5 + m}m", event_id=f"e{number}-{m:02}") for m in range(count)]


def refresh(offset: str, rows: int | None) -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": "claims", "data_as_of": at(offset),
        "row_count": rows, "event_id": f"r{offset}",
    }  # fmt: skip


def test_numbers_on_the_bounds_are_within() -> None:
    assert found(HOURLY, [*hour(0, 3), *hour(1, 5)], now="2h") == []


def test_too_few_is_a_breach_when_the_window_is_over_and_ends_with_one_that_is_within() -> None:
    events = [*hour(0, 2), *hour(1, 1), *hour(2, 4)]
    assert found(HOURLY, hour(0, 2), now="59m59s") == []
    violations = found(HOURLY, events, now="3h")
    assert brief(violations) == [(None, "breach", "resolved", HOUR)]
    assert (violations[0].observed, violations[0].limit, violations[0].resolved_at) == (2, 3, at("3h"))


def test_silence_counts_none_once_the_stream_has_begun() -> None:
    assert found(HOURLY, [], now="9d") == []
    violations = found(HOURLY, hour(4, 4), now="400d")
    assert brief(violations) == [(None, "breach", "open", 6 * HOUR)]
    assert (violations[0].observed, violations[0].since) == (0, at("5h"))
    ended = found(HOURLY, [*hour(4, 4), *hour(90, 4)], now="91h")
    assert [(v.violation_id, v.resolved_at) for v in ended] == [(violations[0].violation_id, at("91h"))]


def test_too_many_shows_the_earliest_five_and_turning_to_too_few_is_another_episode() -> None:
    violations = found(HOURLY, [*hour(0, 7), *hour(1, 1), *hour(2, 3)], now="3h")
    assert brief(violations) == [(None, "breach", "resolved", HOUR), (None, "breach", "resolved", 2 * HOUR)]
    assert [v.resolved_at for v in violations] == [at("2h"), at("3h")]
    assert [e.event_id for e in violations[0].evidence] == [f"e0-{m:02}" for m in range(5)]
    assert "7 events in the 1 h from" in violations[0].summary


def test_without_of_all_events_count_together_and_where_selects() -> None:
    clause = "- {id: enough, kind: volume, max: 3, per: 1h}"
    events = [*hour(0, 2), *(call(f"{m}m", "x", system="scorer") for m in (1, 2))]
    assert [v.observed for v in found(contract("scorer", clause), events, now="1h")] == [4]
    selected = """- {id: enough, kind: volume, max: 1, where: "tool = 'x'"}"""
    assert [v.observed for v in found(contract("scorer", selected), events, now="1h")] == [2]


def test_rows_of_the_refreshes_in_a_window_count_together_and_a_window_without_one_has_none() -> None:
    clauses = contract("claims", "- {id: enough, kind: volume, of: dataset, min: 100, per: 1d}")
    events = [refresh("1h", 60), refresh("5h", 60), refresh("30h", 99), refresh("50h", 200)]
    violations = found(clauses, events, now="4d")
    assert brief(violations) == [
        ("claims", "breach", "resolved", 48 * HOUR),
        ("claims", "breach", "open", 96 * HOUR),
    ]
    assert [v.observed for v in violations] == [99, 0]
    assert violations[0].resolved_at == at("72h")


def test_without_a_window_each_refresh_is_judged_when_it_comes() -> None:
    clauses = contract("claims", "- {id: enough, kind: volume, min: 100, max: 200}")
    events = [refresh("1h", 100), refresh("2h", 99), refresh("3h", 50), refresh("4h", 201), refresh("5h", 200)]
    violations = found(clauses, events, now="9d")
    assert [(v.opened_at, v.resolved_at, v.observed, v.limit) for v in violations] == [
        (at("2h"), at("4h"), 99, 100),
        (at("4h"), at("5h"), 201, 200),
    ]
    assert [e.event_id for e in violations[0].evidence] == ["r2h", "r3h"]


@pytest.mark.parametrize("faulty", ["per: 1h", "min: 5, max: 4", "min: -1"])
def test_bounds_that_say_nothing_are_refused(faulty: str) -> None:
    with pytest.raises(Exception, match="min"):
        found(contract("scorer", f"- {{id: enough, kind: volume, {faulty}}}"), [])


def seen(clause: str, *rows: int | None, now: str = "4h") -> list[tuple[str, str, int]]:
    """Severity, state and opening of what refreshes show, one an hour."""
    events = [refresh(f"{60 * n + 10}m", number) for n, number in enumerate(rows)]
    found_ = found(contract("claims", f"- {{id: enough, kind: volume, of: dataset, {clause}}}"), events, now=now)
    assert {v.slice for v in found_} <= {"claims"}
    return sorted((v.severity, v.state, v.opened_at - at()) for v in found_)


def test_a_refresh_that_does_not_say_how_many_rows_it_has_is_told_and_held_to_no_bound() -> None:
    minute = HOUR // 60
    assert seen("min: 100", 200, None, None, 200) == [("warning", "resolved", 70 * minute)]
    assert seen("min: 100", None) == [("warning", "open", 10 * minute)]
    # What is open goes on: nobody knows that it is over.
    assert seen("min: 100", 5, None) == [("breach", "open", 10 * minute), ("warning", "open", 70 * minute)]
    assert seen("min: 100", 5, None, 5, 200) == [
        ("breach", "resolved", 10 * minute), ("warning", "resolved", 70 * minute)
    ]  # fmt: skip
    events = [refresh("10m", None), refresh("70m", None)]
    (violation,) = found(contract("claims", "- {id: e, kind: volume, of: dataset, min: 1}"), events)
    assert violation.summary.endswith("does not say how many rows it has: not judged")
    assert [evidence.event_id for evidence in violation.evidence] == ["r10m", "r70m"]


def test_a_window_with_rows_that_nobody_knows_is_held_to_what_they_cannot_change() -> None:
    minute = HOUR // 60
    warned = ("warning", "resolved", 70 * minute)
    hourly = "min: 100, max: 300, per: 1h"
    assert seen(hourly, 200, None, 200, 200) == [warned]
    assert seen("max: 300, per: 1h", 200, None, 200) == [warned]
    more = [refresh("10m", 400), refresh("20m", None), refresh("30m", 0), refresh("70m", 200)]
    told = found(contract("claims", f"- {{id: e, kind: volume, of: dataset, {hourly}}}"), more, now="2h")
    assert sorted((v.severity, v.observed) for v in told if v.severity == "breach") == [("breach", 400)]
    enough = [refresh("10m", 400), refresh("20m", None), refresh("30m", 0)]
    told = found(contract("claims", "- {id: e, kind: volume, of: dataset, min: 100, per: 1h}"), enough, now="1h")
    assert [v.severity for v in told] == ["warning"]
