"""Representation: each cohort's share in refreshes and in windows of decisions."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.durations import HOUR
from seamwatch.judging.patterns.intervals import wilson
from tests.clauses.history import at, brief, contract, decision, found
from tests.clauses.test_state import Live

SHARES = "shares: {north: [0.4, 0.6], south: [0.1, 1]}"
DATA = contract("claims", f"- {{id: who, kind: representation, {SHARES}}}")
TRAFFIC = contract("scorer", f"- {{id: who, kind: representation, {SHARES}, of: inference, window: 1h, min_count: 10}}")


def refresh(offset: str, **cohorts: int) -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": "claims", "data_as_of": at(offset),
        "row_count": 100, "event_id": f"r{offset}",
        "cohorts": [{"cohort": cohort, "count": count} for cohort, count in cohorts.items()],
    }  # fmt: skip


def hour(number: int, **cohorts: int) -> list[dict[str, Any]]:
    names = [cohort for cohort, count in cohorts.items() for _ in range(count)]
    return [
        decision(f"{number * 3600 + 10 + i}s", cohort=name, event_id=f"e{number}-{i:02}")
        for i, name in enumerate(names)
    ]


def test_shares_on_the_bounds_are_within() -> None:
    assert found(DATA, [refresh("1h", north=60, south=40), refresh("2h", north=40, south=10, east=50)]) == []
    assert found(TRAFFIC, [*hour(0, north=6, south=4), *hour(1, north=4, south=1, east=5)], now="2h") == []


def test_a_cohort_of_a_refresh_is_a_breach_until_a_refresh_is_within() -> None:
    events = [refresh("1h", north=61, south=39), refresh("2h", north=70, south=30), refresh("3h", north=50, south=50)]
    violations = found(DATA, events)
    assert brief(violations) == [("north", "breach", "resolved", HOUR)]
    assert (violations[0].observed, violations[0].limit, violations[0].resolved_at) == (0.61, 0.6, at("3h"))
    assert [e.event_id for e in violations[0].evidence] == ["r1h", "r2h"]
    assert "makes up 61 % (95 % sure: 51 % to 70 %) of 100 rows" in violations[0].summary


def test_a_listed_cohort_that_is_absent_has_no_share() -> None:
    violations = found(DATA, [refresh("1h", north=50, east=50)])
    assert [(v.slice, v.observed, v.limit) for v in violations] == [("south", 0, 0.1)]
    traffic = found(TRAFFIC, hour(0, north=6, east=6), now="1h")
    assert [(v.slice, v.observed, v.limit) for v in traffic] == [("south", 0, 0.1)]


def test_a_window_is_judged_when_it_is_over_and_ends_with_one_that_is_within() -> None:
    events = [*hour(0, north=8, south=4), *hour(1, north=9, south=3), *hour(2, north=6, south=6)]
    assert found(TRAFFIC, hour(0, north=8, south=4), now="59m") == []
    violations = found(TRAFFIC, events, now="3h")
    assert brief(violations) == [("north", "breach", "resolved", HOUR)]
    assert violations[0].observed == pytest.approx(8 / 12)
    assert violations[0].resolved_at == at("3h")
    assert [e.event_id for e in violations[0].evidence] == [f"e0-{i:02}" for i in range(5)]


def test_a_small_sample_neither_opens_nor_ends_anything() -> None:
    assert found(TRAFFIC, hour(0, north=9), now="1h") == []
    small = contract("claims", f"- {{id: who, kind: representation, {SHARES}, min_count: 101}}")
    assert found(small, [refresh("1h", north=29), refresh("2h")]) == []
    violations = found(TRAFFIC, [*hour(0, north=12, south=4), *hour(1, north=4, south=4)], now="9h")
    assert brief(violations) == [("north", "breach", "open", HOUR)]


def test_decisions_that_name_no_cohort_are_not_counted() -> None:
    events = [*hour(0, north=6, south=4), *(decision(f"{30 + i}m") for i in range(20))]
    assert found(TRAFFIC, events, now="1h") == []


def test_impossible_shares_are_refused() -> None:
    for shares in ("{north: [0.6, 0.4]}", "{north: [0.6, 1], south: [0.6, 1]}", "{north: [0, 2]}"):
        with pytest.raises(Exception, match="who"):
            found(contract("claims", f"- {{id: who, kind: representation, shares: {shares}}}"), [])


def test_the_interval_is_wilsons() -> None:
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29.
    for hits, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert wilson(hits, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


# Bounds that cannot be checked any more


LOOSE = "shares: {north: [0, 1], south: [0, 0.9]}"
LOOSE_DATA = contract("claims", f"- {{id: who, kind: representation, {LOOSE}}}")


def test_a_refresh_whose_rows_name_no_cohort_is_told_until_shares_can_be_judged() -> None:
    both = {"north": 50, "south": 50}
    events = [refresh("1h", **both), refresh("2h"), refresh("3h", north=29), refresh("4h", **both)]
    (told,) = found(DATA, events)
    assert brief([told]) == [("claims", "warning", "resolved", 2 * HOUR)]
    assert told.resolved_at == at("4h")
    assert told.summary == (
        "claims: the refresh of 2026-03-02 02:00:00 UTC names a cohort for 0 of its 100 rows; shares are judged from "
        "30 on: not judged"
    )
    quiet = DATA.replace("kind: representation", "kind: representation, unjudged: null")
    assert found(quiet, events) == []
    unsaid = [{**refresh("1h"), "row_count": None}]
    assert [v.severity for v in found(DATA, unsaid)] == ["warning"], "nobody knows that it is small"


def test_a_breach_goes_on_while_refreshes_cannot_be_judged() -> None:
    events = [refresh("1h", north=90, south=10), refresh("2h"), refresh("3h", north=90, south=10)]
    assert sorted(brief(found(DATA, events)), key=str) == [
        ("claims", "warning", "resolved", 2 * HOUR),
        ("north", "breach", "open", HOUR),
    ]


def test_a_cohort_that_a_refresh_no_longer_reports_is_told_though_a_share_of_none_is_within() -> None:
    gone = [refresh("1h", north=50, south=50), refresh("2h", north=100), refresh("3h", north=100)]
    (told,) = found(LOOSE_DATA, [*gone, refresh("4h", north=60, south=40)])
    assert brief([told]) == [("south", "warning", "resolved", 2 * HOUR)]
    assert (told.since, told.resolved_at) == (at("1h"), at("4h"))
    assert told.summary == (
        "claims: cohort 'south' is no longer reported since 2026-03-02 01:00:00 UTC, among 100 rows; it made up "
        "50 % before"
    )
    none = refresh("2h", north=100, south=0)
    assert found(LOOSE_DATA, [refresh("1h", north=50, south=50), none]) == [], "it says so"
    assert found(LOOSE_DATA, [refresh("1h", north=99, south=1), refresh("2h", north=100)]) == [], "chance"
    assert found(LOOSE_DATA, [refresh("1h", north=100)]) == [], "it never came"


@pytest.mark.parametrize("spelt", ["South", " south", "SOUTH  "])
def test_a_cohort_that_is_spelt_otherwise_is_told_by_name(spelt: str) -> None:
    events = [refresh("1h", north=50, **{spelt: 50}), refresh("2h", north=50, south=50)]
    (told,) = found(LOOSE_DATA, events)
    assert brief([told]) == [(spelt, "warning", "resolved", HOUR)]
    assert f"reports cohort {spelt!r}, which differs from the agreed 'south' by blanks or capitals" in told.summary


LOOSE_TRAFFIC = contract(
    "scorer", f"- {{id: who, kind: representation, {LOOSE}, of: inference, window: 1h, min_count: 10, unjudged: 2h}}"
)
STOPS = [
    *hour(0, north=8, south=4), *hour(1, north=12), *hour(2, north=12), *hour(3, north=12),
    *hour(4, north=8, south=4), *hour(5, north=12),
]  # fmt: skip


def test_a_cohort_that_no_decision_names_any_more_is_told_after_the_agreed_time() -> None:
    (told,) = found(LOOSE_TRAFFIC, STOPS, now="6h")
    # Ten are missed in the third hour without one, by which two hours have long passed.
    assert brief([told]) == [("south", "warning", "resolved", 4 * HOUR)]
    assert (told.since, told.resolved_at) == (at("1h"), at("5h"))
    assert found(LOOSE_TRAFFIC.replace("unjudged: 2h", "unjudged: 1d"), STOPS, now="6h") == []
    assert found(LOOSE_TRAFFIC.replace("unjudged: 2h", "unjudged: null"), STOPS, now="6h") == []


def test_live_finds_the_same_and_restarts_change_nothing() -> None:
    live = Live(LOOSE_TRAFFIC)
    for number in range(6):
        live.flush(STOPS[number * 12 : number * 12 + 12], at(f"{number}h50m"))
    live.flush([], at("6h"))
    wanted = {(v.violation_id, v.summary, v.state, v.resolved_at) for v in found(LOOSE_TRAFFIC, STOPS, now="6h")}
    assert {(v.violation_id, v.summary, v.state, v.resolved_at) for v in live.latest.values()} == wanted
