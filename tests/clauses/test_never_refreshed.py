"""A data set that was declared and never refreshed: silence counts from the stream's first event on."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.documents import Contract, Estate, System
from seamwatch.documents.estate import Term
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.judging.model.facts import ForwardedEvent, Measurement, Violation, Watermark
from tests.clauses.history import T0, at, contract, decision, found

DATASET = """
apiVersion: seamwatch/v1
kind: System
id: features
type: dataset
owner: owner@example.org
---"""
FRESH = contract("features", "- {id: fresh, kind: freshness, max_lag: 26h, warn_at: 25h}")
TRAFFIC = [decision("1h", system="scorer"), decision("3d", system="scorer")]


def refresh(offset: str, as_of: str | None = None) -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": "features", "data_as_of": at(as_of or offset),
        "row_count": 10,
    }  # fmt: skip


def of_features(violations: list[Violation]) -> list[tuple[str, str, int, int | None]]:
    return [
        (v.severity, v.state, v.opened_at - T0, v.resolved_at and v.resolved_at - T0)
        for v in violations
        if v.system == "features"
    ]


def test_silence_from_the_first_event_on_is_a_warning_and_then_a_breach() -> None:
    violations = found(DATASET + FRESH, TRAFFIC)
    assert of_features(violations) == [
        ("warning", "open", 26 * HOUR, None),
        ("breach", "open", 27 * HOUR, None),
    ]
    (breach,) = [v for v in violations if v.system == "features" and v.severity == "breach"]
    assert (breach.since, breach.observed, breach.slice, breach.person) == (
        at("1h"),
        26 * 3_600.0,
        "features",
        "owner@example.org",
    )
    assert breach.summary == ("features: never refreshed in the 26 h since 2026-03-02 01:00:00 UTC, agreed limit 26 h")


@pytest.mark.parametrize("first", ["2h", "40h"])
def test_refreshes_open_what_they_would_open_without_it(first: str) -> None:
    later = [refresh(first), refresh("41h", as_of="5h")]
    with_it = found(DATASET + FRESH, [*TRAFFIC, *later], now="9d")
    without = found(FRESH, [*TRAFFIC, *later], now="9d")
    told = {(v.violation_id, v.opened_at, v.summary, v.evidence) for v in with_it if v.system == "features"}
    assert {(v.violation_id, v.opened_at, v.summary, v.evidence) for v in without if v.system == "features"} <= told
    more = [v for v in with_it if v.system == "features" and v.violation_id not in {o.violation_id for o in without}]
    assert [v.state for v in more] == (["resolved"] * 2 if first == "40h" else [])
    assert {v.resolved_at for v in more} <= {at("40h")}


def test_a_first_refresh_with_old_data_goes_on_as_an_episode_of_its_own() -> None:
    violations = found(DATASET + FRESH, [*TRAFFIC, refresh("2d", as_of="2h")], now="4d")
    assert sorted(of_features(violations), key=str) == [
        ("breach", "open", 28 * HOUR, None),
        ("breach", "resolved", 27 * HOUR, 2 * DAY),
        ("warning", "open", 27 * HOUR, None),
        ("warning", "resolved", 26 * HOUR, 2 * DAY),
    ]


def test_what_nobody_declared_a_data_set_is_not_waited_for() -> None:
    assert of_features(found(FRESH, TRAFFIC)) == []
    assert of_features(found(DATASET.replace("type: dataset", "type: model") + FRESH, TRAFFIC)) == []


def test_a_contract_says_from_when_it_counts() -> None:
    dated = FRESH.replace("seam: data-to-model", "seam: data-to-model\neffective_from: 2026-03-03T00:00:00Z")
    (_, breach) = of_features(found(DATASET + dated, TRAFFIC, now="4d"))
    assert breach == ("breach", "open", DAY + 26 * HOUR, None)


def test_without_a_contract_the_defaults_wait_eight_days() -> None:
    (violation,) = [v for v in found(DATASET.removesuffix("---"), TRAFFIC, now="9d") if v.system == "features"]
    assert (violation.contract, violation.severity, violation.opened_at) == ("defaults", "warning", at("8d1h"))


# Volume


ROWS = contract("features", "- {id: enough, kind: volume, of: dataset, min: 5, per: 1d}")


def test_windows_of_rows_count_from_the_first_event_on_though_no_refresh_ever_came() -> None:
    (told,) = [v for v in found(DATASET + ROWS, TRAFFIC, now="4d") if v.system == "features"]
    assert (told.severity, told.state, told.opened_at, told.observed) == ("breach", "open", at("1d"), 0)
    assert told.summary == "features: 0 rows in the 24 h from 2026-03-02 00:00:00 UTC; agreed at least 5"
    assert of_features(found(ROWS, TRAFFIC, now="4d")) == [], "nobody declared it"
    for never in (", min: 0", ""):
        lenient = ROWS.replace(", min: 5", f"{never}, max: 10")
        assert of_features(found(DATASET + lenient, TRAFFIC, now="4d")) == [], "none is not too few"


def test_a_first_refresh_in_its_window_is_waited_for_and_a_late_one_ends_the_breach() -> None:
    in_time = of_features(found(DATASET + ROWS, [*TRAFFIC, refresh("23h")]))
    assert [opened for _, _, opened, _ in in_time] == [2 * DAY], "the day after is the first without"
    late = found(DATASET + ROWS, [*TRAFFIC, refresh("2d1h")], now="3d")
    assert of_features(late) == [("breach", "resolved", DAY, 3 * DAY)]


def test_live_rows_are_waited_for_from_an_earlier_event_too_and_over_restarts() -> None:
    clause = {"id": "enough", "kind": "volume", "of": "dataset", "min": 5, "per": "6h"}
    known = estate(clause=clause)
    judge = Judge(known)
    told = tell(judge, T0 + HOUR, T0 + HOUR)
    kept, judge = judge.take_dirty(), Judge(known)
    for key, value in kept.items():
        assert value is not None
        judge.restore(key, value)
    told += tell(judge, T0 + 2 * HOUR, T0 - 5 * HOUR)
    told += tell(judge, T0 + 2 * HOUR + MINUTE, None)
    assert [(v.opened_at, v.since) for v in told] == [(T0, T0 - 6 * HOUR)]


# Live


def estate(published_at: int | None = None, clause: dict[str, Any] | None = None) -> Estate:
    clause = clause or {"id": "fresh", "kind": "freshness", "max_lag": "6h"}
    agreed = Contract.model_validate(
        {
            "id": "feed", "version": "1", "seam": "data-to-model", "covers": ["features"],
            "parties": {"provider": {}, "consumer": {}}, "clauses": [clause],
        }
    )  # fmt: skip
    declared = System.model_validate({"kind": "System", "id": "features", "type": "dataset", "owner": "o@example.org"})
    return Estate(systems={"features": declared}, terms=(Term(agreed, published_at=published_at),))


def tell(
    judge: Judge, now: int, began: int | None, *events: ForwardedEvent, progress: int | None = None
) -> list[Violation]:
    mark = Watermark("t", 0, 0, now, caught_up=True, progress=progress)
    return list(judge.on_measurement(Measurement(now, (mark,), (), events, began)).violations)


def test_live_the_clock_runs_from_the_first_event_and_survives_a_restart() -> None:
    judge = Judge(estate())
    assert tell(judge, T0, None) == []
    assert tell(judge, T0 + HOUR, T0 + HOUR) == []
    kept, judge = judge.take_dirty(), Judge(estate())
    for key, value in kept.items():
        assert value is not None
        judge.restore(key, value)
    assert tell(judge, T0 + 7 * HOUR, T0 + 5 * HOUR) == []
    (violation,) = tell(judge, T0 + 7 * HOUR + MINUTE, None)
    assert (violation.opened_at, violation.since) == (T0 + 7 * HOUR, T0 + HOUR)


def test_a_refresh_within_a_history_that_is_loaded_in_bulk_stops_the_clock_in_its_turn() -> None:
    judge = Judge(estate())
    began, now = T0, T0 + 10 * HOUR
    record = {"event_time": T0 + HOUR, "event_id": "r", "data_as_of": T0 + HOUR, "system": "features"}
    told = tell(judge, now, began, progress=began)
    refreshed = ForwardedEvent("dataset_refresh", record, arrived=now + SECOND)
    told += tell(judge, now + SECOND, None, refreshed, progress=began)
    for second in range(2, 30):
        told += tell(judge, now + second * SECOND, None, progress=began if second < 6 else None)
    assert [(v.opened_at, v.since) for v in told] == [(T0 + 7 * HOUR, T0 + HOUR)]
    assert "no newer data" in told[0].summary


def test_a_contract_published_on_a_running_stream_expects_nothing_longer_than_a_day_before() -> None:
    judge = Judge(estate(published_at=T0 + 100 * DAY))
    told = tell(judge, T0 + 100 * DAY, T0)
    told += tell(judge, T0 + 100 * DAY + 10 * SECOND, None)
    assert [v.opened_at for v in told] == [T0 + 99 * DAY + 6 * HOUR]


def test_a_judge_waits_for_the_data_sets_of_its_own_partition_alone() -> None:
    others = Judge(estate(), owns=lambda system: system != "features")
    tell(others, T0, T0)
    assert tell(others, T0 + DAY, None) == []
