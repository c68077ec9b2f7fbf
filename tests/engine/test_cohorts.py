"""A cohort that comes no longer, or is spelt otherwise, is told by the clause that judges cohorts by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seamwatch.clauses import kinds
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.engine.cohorts import MOST, MOST_HOURS
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.spelling import difference, meant
from tests.clauses.history import at, contract, decision, found
from tests.clauses.test_largest_state import SEAM, Kept, fact
from tests.clauses.test_state import Live

KINDS = {
    "signal": "signal: latency, max: 800, by: cohort",
    "distribution": "reference: {first: 1d}, by: cohort",
    "calibration": "max_error: 0.9",
}


def says(kind: str, more: str = "") -> str:
    return contract("scorer", f"- {{id: looks, kind: {kind}, {KINDS[kind]}{more}}}")


def event(kind: str, hour: float, cohort: str | None, number: int = 0) -> dict[str, Any]:
    time = at() + int(hour * HOUR) + MINUTE + number
    told = decision("1s", event_time=time, cohort=cohort, score=0.7, latency_ms=20)
    if kind != "calibration":
        return told
    return {
        "type": "outcome", "event_time": time, "observed_at": time, "system": "scorer", "inference_id": f"{time}",
        "score": 0.7, "label": 1.0, "cohort": cohort,
    }  # fmt: skip


def days(kind: str, cohort: str | None, begin: float, end: float, every: int = 1) -> Iterable[dict[str, Any]]:
    for hour in range(int(begin * 24), int(end * 24), every):
        yield event(kind, hour, cohort, sum(map(ord, cohort or "")))


def of_cohorts(violations: list[Violation]) -> list[Violation]:
    return [v for v in violations if v.severity == "warning" and "cohort" in v.summary]


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_two_cohorts_that_comes_no_longer_is_told_until_it_comes_again(kind: str) -> None:
    events = [*days(kind, "north", 0, 7), *days(kind, "south", 0, 4), *days(kind, "south", 6, 6.5)]
    (told,) = of_cohorts(found(says(kind), events, now="8d"))
    assert (told.slice, told.state, told.kind) == ("south", "resolved", kind)
    assert (told.since, told.opened_at, told.resolved_at) == (at("4d"), at("5d"), at("6d1h"))
    what = "outcomes" if kind == "calibration" else "decisions"
    assert told.summary == (
        "scorer: cohort 'south' comes no longer, and 'looks' has had nothing to judge of it, since 2026-03-06 00:00:00 "
        f"UTC: none of 24 {what} that name a cohort names it; 50 % of them did before"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_seldom_a_rare_and_a_quiet_cohort_are_not_missed(kind: str) -> None:
    north = list(days(kind, "north", 0, 12))
    assert of_cohorts(found(says(kind), [*days(kind, "north", 0, 4), *days(kind, "south", 0, 4)], now="12d")) == []
    seldom = [e for day in (0, 3, 6) for e in days(kind, "south", day, day + 0.2)]
    assert of_cohorts(found(says(kind), [*days(kind, "north", 0, 11.5), *seldom], now="11d12h")) == []
    rare = [event(kind, hour, "south", 7) for hour in (1, 30, 60)]
    assert of_cohorts(found(says(kind), [*days(kind, "north", 0, 5), *rare], now="5d")) == []
    once = list(days(kind, "south", 0, 1))
    assert of_cohorts(found(says(kind), [*days(kind, "north", 0, 7.5), *once], now="8d")) == [], "seven days"
    (told,) = of_cohorts(found(says(kind), [*north, *once], now="12d"))
    assert told.opened_at == at("8d")
    assert of_cohorts(found(says(kind, ", unjudged: null"), [*north, *once], now="12d")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_that_no_event_names_a_cohort_any_more_is_told_once(kind: str) -> None:
    events = [e for c in ("north", "south") for e in days(kind, c, 0, 4)] + list(days(kind, None, 4, 7))
    (told,) = of_cohorts(found(says(kind), events, now="8d"))
    assert (told.slice, told.opened_at, told.state) == (None, at("5d"), "open")
    assert "'looks' has had no cohort to judge since 2026-03-06 00:00:00 UTC: none of 24 " in told.summary


def test_what_is_gone_for_a_month_more_is_expected_no_longer() -> None:
    events = [*days("signal", "north", 0, 40, every=2), *days("signal", "south", 0, 4)]
    (told,) = of_cohorts(found(says("signal"), events, now="41d"))
    assert (told.state, told.resolved_at) == ("resolved", told.opened_at + 30 * DAY)
    assert told.summary == "scorer: cohort 'south' is expected no longer"


ODD = {
    "South": "by blanks or capitals",
    " south ": "by blanks or capitals",
    "ｓouth": "by another form of the same characters",
    "so\u200buth": "by another form of the same characters",
}


@pytest.mark.parametrize("odd", ODD)
def test_a_cohort_of_decisions_that_is_spelt_otherwise_than_agreed_is_told(odd: str) -> None:
    document = contract(
        "scorer", "- {id: who, kind: representation, of: inference, shares: {north: [0, 1], south: [0, 1]}}"
    )
    other = [event("signal", hour, "west", 3) for hour in range(9)]
    events = [*days("signal", "north", 0, 1), *other, event("signal", 3, odd), event("signal", 5, odd)]
    (told,) = of_cohorts(found(document, events, now="3d"))
    assert (told.slice, told.state, told.opened_at, told.resolved_at) == (odd, "resolved", at("4h"), at("1d6h"))
    assert told.summary == (
        f"scorer: decisions name cohort {odd!r} since 2026-03-02 03:00:00 UTC, which differs from the agreed 'south' "
        f"{ODD[odd]}: 'who' takes it for another"
    )
    assert len(told.evidence) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_two_cohorts_of_the_traffic_that_mean_the_same_are_told(kind: str) -> None:
    events = [*days(kind, "north", 0, 1), *days(kind, "north ", 0.5, 1, every=3)]
    (told,) = of_cohorts(found(says(kind), events, now="1d"))
    assert (told.slice, told.opened_at) == ("north ", at("13h"))
    assert "which differs from 'north' by blanks or capitals" in told.summary


@pytest.mark.parametrize("size", [1, 500])
def test_live_it_is_told_as_in_a_replay_however_events_come(size: int) -> None:
    events = [*days("signal", "north", 0, 6, 2), *days("signal", "south", 0, 4, 2), *days("signal", "South", 5, 5.5, 2)]
    events.sort(key=lambda e: e["event_time"])
    live = Live(says("signal"))
    for start in range(0, len(events), size):
        some = events[start : start + size]
        live.flush(list(reversed(some)), some[-1]["event_time"] + MINUTE)
    live.flush([], at("7d"))
    wanted = {(v.violation_id, v.opened_at, v.summary, v.state) for v in found(says("signal"), events, now="7d")}
    assert {(v.violation_id, v.opened_at, v.summary, v.state) for v in live.latest.values()} == wanted
    assert len(wanted) == 2


def test_names_that_look_the_same_mean_the_same() -> None:
    assert meant("Zu\u0308rich ") == meant("z\u00fcrich")
    assert meant("a  b\u00a0c") == meant("A b c")
    assert meant("north") != meant("south")
    assert difference("Zu\u0308rich", "z\u00fcrich") == "by another form of the same characters"


def test_what_is_remembered_of_cohorts_is_no_more_than_is_said() -> None:
    clause = kinds()["signal"].model_validate(
        {"id": "clause-of-some-length", "kind": "signal", "signal": "latency", "max": 800, "by": "cohort"}
    )
    kept = Kept(clause)
    (measure,) = [m for m in clause.all_measures(SEAM) if m.name.endswith("/cohorts")]
    for round_ in (0, 1):
        for number in range(MOST_HOURS):
            for cohort in range(MOST):
                one = fact(clause, measure, number + round_ * MOST_HOURS)
                kept.receive(replace(one, slice=f"cohort of some length {cohort:03d}"), 0 if round_ else at("1000d"))
    said_in = (Path(__file__).parents[2] / "docs" / "time.md").read_text("utf-8")
    told = re.search(r"500 cohorts are followed, and it takes ([0-9.]+) MB at its largest", said_in)
    assert told is not None
    assert kept.size() <= float(told[1]) * 1e6 <= 1.15 * kept.size() + 1_000
