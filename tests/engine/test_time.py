"""Time as docs/time.md tells it: lateness, wrong clocks, a stream that pauses, old events, and no time zone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.late import Late
from seamwatch.engine.settings import JudgeSettings
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.wire.topics import Topics
from streams.measure.progress import Progress
from streams.replay.replay import replay
from tests.clauses.history import at, contract, decision, estate_of, found, record_of

CLAUSES = """
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.5}
- {id: fresh, kind: freshness, max_lag: 26h}
"""
DEFAULT = estate_of(contract("scorer", CLAUSES))
PATIENT = estate_of(contract("scorer", CLAUSES, lateness="10m"))


def fact(estate: Estate, time: int, breaches: int, count: int, event_id: str = "e") -> Fact:
    start = time // HOUR * HOUR
    return Fact("example", "1", estate.contracts[0].digest, "mostly", "scorer", None, start, HOUR, count, breaches,
                time, time, evidence=(Evidence(time, event_id, value=2.0),) if breaches else ())  # fmt: skip


def flush(now: int, *facts: Fact, events: tuple[ForwardedEvent, ...] = (), behind: int | None = None) -> Measurement:
    marks = [Watermark("seamwatch.inference", 0, 0, now, caught_up=True)]
    if behind is not None:
        marks.append(Watermark("seamwatch.dataset_refresh", 0, 0, behind, caught_up=False))
    return Measurement(now, tuple(marks), facts, events)


def refresh(moment: int, arrived: int | None = None) -> ForwardedEvent:
    record = {"event_id": f"r{moment}", "event_time": moment, "system": "scorer", "data_as_of": moment}
    return ForwardedEvent("dataset_refresh", record, arrived=arrived)


def told(violations: Sequence[Violation]) -> list[tuple[str, str, int]]:
    return [(v.clause, v.state, v.opened_at) for v in violations]


# Lateness


@pytest.mark.parametrize(("estate", "lateness"), [(DEFAULT, 5 * SECOND), (PATIENT, 10 * MINUTE)])
def test_a_window_is_judged_when_its_contracts_lateness_is_over(estate: Estate, lateness: int) -> None:
    judge = Judge(estate)
    judge.on_measurement(flush(at("1h59m59s"), fact(estate, at("1h59m58s"), 3, 4)))
    end = at("2h") + lateness
    assert judge.on_measurement(flush(end - 1)).violations == ()
    assert told(judge.on_measurement(flush(end)).violations) == [("mostly", "open", at("2h"))]


def test_what_comes_within_the_lateness_counts_and_what_comes_later_is_counted_beside() -> None:
    judge = Judge(PATIENT)
    judge.on_measurement(flush(at("1h30m"), fact(PATIENT, at("1h30m"), 3, 4)))
    # Nine minutes after its window, yet in time: with it two thirds are right.
    judge.on_measurement(flush(at("2h9m"), fact(PATIENT, at("1h59m30s"), 0, 5)))
    assert judge.on_measurement(flush(at("2h10m3s"))).violations == ()
    assert judge.take_late() == {}
    # Too late: stored like any event, and the judgement stands.
    assert judge.on_measurement(flush(at("2h11m"), fact(PATIENT, at("1h59m40s"), 7, 7))).violations == ()
    assert judge.take_late() == {Late("example", "mostly", "scorer"): 7}
    assert judge.take_late() == {}
    assert judge.on_measurement(flush(at("3h"))).violations == ()


def test_each_contract_has_a_lateness_of_its_own() -> None:
    quick = contract("scorer", CLAUSES).replace("id: example\n", "id: quick\n")
    both = estate_of(contract("scorer", CLAUSES, lateness="10m"), quick)
    judge = Judge(both)
    facts = [replace(fact(both, at("1h30m"), 3, 4), contract=c.id, contract_digest=c.digest) for c in both.contracts]
    judge.on_measurement(flush(at("1h30m1s"), *facts))
    assert [v.contract for v in judge.on_measurement(flush(at("2h5s"))).violations] == ["quick"]
    assert [v.contract for v in judge.on_measurement(flush(at("2h10m"))).violations] == ["example"]


def test_a_replay_is_in_order_and_waits_for_nothing() -> None:
    history = [decision("1h10m", score=2.0), decision("1h20m", score=2.0), decision("2h", score=0.5)]
    for lateness in ({}, {"lateness": "10m"}):
        (violation,) = found(contract("scorer", CLAUSES, **lateness), history)
        assert (violation.clause, violation.opened_at) == ("mostly", at("2h"))


# Clocks that are wrong


def test_a_producer_whose_clock_is_ahead_moves_nobody_elses_window() -> None:
    progress = Progress(DAY, lambda: 0.0)
    progress.assigned([("inference", 0)])
    now = at("1h")
    progress.measured(("inference", 0), (now, now + 20 * HOUR), arrived=now)
    (mark,) = progress.watermarks({("inference", 0): 1})
    assert mark.watermark == now


def test_a_producer_whose_clock_is_behind_looks_late() -> None:
    judge = Judge(DEFAULT)
    slow = 20 * SECOND
    judge.on_measurement(flush(at("1h30m"), fact(DEFAULT, at("1h30m") - slow, 0, 4)))
    judge.on_measurement(flush(at("2h8s")))
    # Made just before two by its own clock, and measured when the window has been judged without it.
    judge.on_measurement(flush(at("2h15s"), fact(DEFAULT, at("2h15s") - slow, 6, 6)))
    assert judge.take_late() == {Late("example", "mostly", "scorer"): 6}


def test_data_from_the_future_is_as_new_as_its_refresh() -> None:
    told_of = refresh(at("1h"))
    told_of.record["data_as_of"] = at("20h")
    judge = Judge(DEFAULT, JudgeSettings(lateness=0, settle=0))
    judge.on_measurement(flush(at("1h"), events=(told_of,)))
    (stale,) = judge.on_measurement(flush(at("30h"))).violations
    assert stale.opened_at == at("27h")


def test_every_topic_keeps_the_brokers_time_of_arrival() -> None:
    specs = Topics("seamwatch").specs(["range"])
    assert {spec.settings.get("message.timestamp.type") for spec in specs} == {"LogAppendTime"}


# A stream that pauses


def test_no_clock_runs_out_over_events_that_wait_unread() -> None:
    judge = Judge(DEFAULT)
    judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),)))
    # Refreshes lie unread in a topic that lags two hours behind.
    assert judge.on_measurement(flush(at("28h"), behind=at("26h"))).violations == ()
    (stale,) = judge.on_measurement(flush(at("28h5s"), behind=at("27h5s"))).violations
    assert (stale.clause, stale.opened_at) == ("fresh", at("27h"))
    # Read in its turn, the one that had waited was made in time.
    judge = Judge(DEFAULT)
    judge.on_measurement(flush(at("1h"), events=(refresh(at("1h")),)))
    judge.on_measurement(flush(at("28h"), behind=at("26h")))
    judge.on_measurement(flush(at("28h1s"), events=(refresh(at("26h30m"), at("26h30m")),), behind=at("28h")))
    assert judge.on_measurement(flush(at("30h"), behind=at("30h"))).violations == ()


def test_stages_that_were_down_find_what_they_would_have_found() -> None:
    moments = [at("1h"), at("20h"), at("26h59m"), at("27h5s"), at("30h")]
    opened = []
    for heard in (moments, [moments[0], moments[-1]]):
        judge = Judge(DEFAULT)
        opened.append(
            [
                (v.violation_id, v.opened_at)
                for moment in heard
                for v in judge.on_measurement(
                    flush(moment, events=(refresh(moment),) if moment == moments[0] else ())
                ).violations
                if v.state == "open"
            ]
        )
    assert opened[0] == opened[1] != []


# Last year's events


def test_last_years_events_in_a_live_topic_page_nobody_and_replay_judges_them() -> None:
    last_year = [
        {"type": "dataset_refresh", "event_time": at(offset), "system": "scorer", "data_as_of": at(offset),
         "row_count": 1} for offset in ("1h", "40h", "41h", "90h")
    ]  # fmt: skip
    records = [record_of(event) for event in last_year]
    judge, now = Judge(DEFAULT), at("365d")
    for number, (kind, record) in enumerate(records):
        event = ForwardedEvent(kind, record, arrived=now + number)
        assert judge.on_measurement(flush(now + number, events=(event,))).violations == ()
    assert judge.on_measurement(flush(now + 60 * DAY)).violations == ()
    assert judge.take_late() == {Late("example", "fresh", "scorer"): 4}
    assert [v.opened_at for v in replay(DEFAULT, records)] == [at("27h"), at("67h")]


def test_a_clock_that_runs_already_is_not_moved_by_last_years_events() -> None:
    judge = Judge(DEFAULT, JudgeSettings(lateness=0, settle=0))
    judge.on_measurement(flush(at("365d"), events=(refresh(at("365d"), at("365d")),)))
    judge.on_measurement(flush(at("365d1h"), events=(refresh(at("1h"), at("365d1h")),)))
    (stale,) = judge.on_measurement(flush(at("366d3h"))).violations
    assert stale.opened_at == at("366d2h")


# Time zones


@pytest.fixture(params=["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_daylight_saving_changes_nothing(zone: str) -> None:
    """Days and hours are of UTC, on the days on which these zones put their clocks on as on any other."""
    clauses = "- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.5, window: 1d}"
    for day in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"):
        midnight = parse_instant(day)
        events: list[dict[str, Any]] = [
            {**decision("", score=2.0), "event_time": format_instant(midnight + offset)}
            for offset in (0, 2 * HOUR + 30 * MINUTE, DAY - 1)
        ]
        (violation,) = found(contract("scorer", clauses), [*events, {**decision(""), "event_time": midnight + 2 * DAY}])
        assert (violation.since, violation.opened_at) == (midnight, midnight + DAY)
        assert len(violation.evidence) == 3


def test_what_stands_first_in_line_may_settle_last() -> None:
    estate = estate_of(contract("scorer", "- {id: fresh, kind: freshness, max_lag: 30m}"))
    judge, now = Judge(estate), at("15h")

    def found_after(after: int, *refreshed: int) -> list[tuple[str, str, int]]:
        mark = Watermark("seamwatch.inference", 0, 0, now + after, caught_up=False, progress=at("14h30m"))
        events = tuple(refresh(time, arrived=now + after) for time in refreshed)
        return told(judge.on_measurement(Measurement(now + after, (mark,), (), events)).violations)

    assert found_after(0, at("13h20m")) == []
    assert found_after(SECOND, at("13h10m")) == []
    assert found_after(2 * SECOND) == []
    # Both are judged, in the order in which they happened; the data was half an hour old at 13:50.
    assert found_after(3 * SECOND) == [("fresh", "open", at("13h50m"))]
