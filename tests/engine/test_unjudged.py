"""A clause that has had nothing to judge for long says so; one of a system that is quiet does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.model.facts import Violation
from tests.clauses.history import at, call, contract, decision, found
from tests.clauses.test_state import Live

# By kind: what is agreed, what an event gives that can be judged, and the words.
KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "signal": ("signal: latency, max: 800", {"latency_ms": 20}, "none of 25 decisions gives latency_ms"),
    "signal drift": ("signal: drift, max: 0.5", {"score": 0.5}, "none of 25 decisions gives a score"),
    "range": ("min: 0, max: 1", {"score": 0.5}, "none of 25 decisions gives a score"),
    "threshold": ("decision: yes, when: score > 0.5", {"score": 0.2}, "gives what score > 0.5 asks for"),
    "freshness": ("of: inference, max_lag: 1d", {"data_as_of": at()}, "gives data_as_of"),
    "human_review": ("below: 0.5", {"confidence": 0.9}, "none of 25 decisions gives a confidence"),
    "representation": ("of: inference, shares: {a: [0, 1]}", {"cohort": "a"}, "none of 25 decisions names a cohort"),
    "distribution": ("reference: {first: 1d}, missing: false", {"score": 0.5}, "gives a score"),
}


def says(kind: str, more: str = "") -> str:
    return contract("scorer", f"- {{id: looks, kind: {kind.split(maxsplit=1)[0]}, {KINDS[kind][0]}{more}}}")


def hourly(hours: int, begin: int = 0, **fields: Any) -> Iterator[dict[str, Any]]:
    for hour in range(begin, begin + hours):
        yield decision("1s", event_time=at() + hour * HOUR + MINUTE, decision="no", **fields)


def unjudged(violations: list[Violation]) -> list[Violation]:
    return [v for v in violations if "nothing to judge" in v.summary]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_told_once_after_the_agreed_time_and_is_over_when_there_is_something_to_judge(kind: str) -> None:
    _, gives, words = KINDS[kind]
    events = [*hourly(3, **gives), *hourly(25, 3), *hourly(2, 30, **gives)]
    (told,) = unjudged(found(says(kind), events, now="2d"))
    assert (told.severity, told.state, told.kind) == ("warning", "resolved", kind.split(maxsplit=1)[0])
    assert told.summary.startswith("scorer: 'looks' has had nothing to judge since 2026-03-02 03:00:00 UTC: none of ")
    assert words.replace("25", "24") in told.summary
    assert (told.since, told.opened_at, told.resolved_at) == (at("3h"), at("27h"), at("31h"))
    assert len(told.evidence) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_quiet_system_a_few_events_and_what_is_not_asked_for_open_nothing(kind: str) -> None:
    _, gives, _ = KINDS[kind]
    assert unjudged(found(says(kind), hourly(3, **gives), now="40d")) == [], "it is quiet"
    assert unjudged(found(says(kind), hourly(9), now="40d")) == [], "nine events"
    assert unjudged(found(says(kind, ", unjudged: null"), hourly(60), now="40d")) == []
    assert unjudged(found(says(kind, ", where: fallback"), hourly(60), now="40d")) == []
    mixed = [*hourly(60), *(event for hour in range(0, 60, 20) for event in hourly(1, hour, **gives))]
    assert unjudged(found(says(kind), mixed, now="40d")) == [], "now and then there is something"


def test_the_time_is_agreed_and_nothing_else_opens_it() -> None:
    (told,) = unjudged(found(says("range", ", unjudged: 12h"), hourly(30), now="2d"))
    assert (told.opened_at, told.state) == (at("12h"), "open")
    assert "none of 12 decisions" in told.summary


def outcome(offset: int, **fields: Any) -> dict[str, Any]:
    time = at() + offset
    return {
        "type": "outcome",
        "event_time": time,
        "observed_at": time,
        "system": "scorer",
        "inference_id": "-",
        **fields,
    }


@pytest.mark.parametrize("says_", ["calibration, max_error: 0.1", "signal, signal: accuracy, min: 0.5"])
def test_outcomes_that_cannot_be_used_and_outcomes_that_never_come_are_told(says_: str) -> None:
    document = contract("scorer", f"- {{id: looks, kind: {says_}, unjudged: 6h}}")
    odd = [outcome(hour * HOUR, score=0.7, label=-1.0) for hour in range(20)]
    (told,) = unjudged(found(document, odd, now="2d"))
    assert (told.opened_at, told.since) == (at("10h"), at())
    assert "none of 10 outcomes gives" in told.summary

    served = list(hourly(24 * 9, score=0.5))
    (told,) = unjudged(found(document, served, now="10d"))
    assert told.opened_at == at("180h"), "thirty times six hours"
    assert told.summary == (
        "scorer: 'looks' has had nothing to judge since 2026-03-02 00:00:00 UTC: of 180 decisions no outcome has come; "
        "agreed at most 7 d 12 h of that"
    )
    rare = [outcome(day * DAY, score=0.7, label=1.0) for day in range(0, 9, 4)]
    assert unjudged(found(document, [*served, *rare], now="10d")) == []


@pytest.mark.parametrize("says_", ["calibration, max_error: 0.9", "signal, signal: accuracy, min: 0"])
def test_outcomes_that_came_for_days_and_stop_are_told_sooner(says_: str) -> None:
    document = contract("scorer", f"- {{id: looks, kind: {says_}, unjudged: 6h}}")
    served = list(hourly(24 * 8, score=0.5))
    came = [outcome(hour * HOUR, score=0.7, label=1.0) for hour in range(0, 60, 12)]
    (told,) = unjudged(found(document, [*served, *came], now="8d"))
    assert told.opened_at == at("91h"), "seven times six hours after the hour of the last"
    assert told.summary == (
        "scorer: 'looks' has had nothing to judge since 2026-03-04 01:00:00 UTC: of 42 decisions no outcome has come; "
        "they came until 2026-03-04 01:00:00 UTC, at most 11 h apart"
    )
    again = outcome(100 * HOUR, score=0.7, label=1.0)
    (ended, *_) = unjudged(found(document, [*served, *came, again], now="8d"))
    assert (ended.state, ended.resolved_at) == ("resolved", at("101h"))

    seldom = [outcome(hour * HOUR, score=0.7, label=1.0) for hour in (0, 40, 80)]
    (told,) = unjudged(found(document, [*served, *seldom], now="8d"))
    assert told.opened_at == at("159h"), "twice the 39 hours between them"
    twice = [outcome(hour * HOUR, score=0.7, label=1.0) for hour in (0, 1, 2, 30)]
    assert unjudged(found(document, [*served, *twice], now="8d")) == [], "two days make no habit"


def test_live_outcomes_that_stop_are_told_as_in_a_replay() -> None:
    document = contract("scorer", "- {id: looks, kind: calibration, max_error: 0.9, unjudged: 6h}")
    served = list(hourly(100, score=0.5))
    came = [outcome(hour * HOUR, score=0.7, label=1.0) for hour in range(0, 60, 12)]
    live = Live(document)
    for number, event in enumerate(served):
        more = [o for o in came if o["event_time"] == at() + number * HOUR]
        live.flush([event, *more], event["event_time"] + MINUTE)
    live.flush([], at("5d"))
    wanted = {(v.violation_id, v.opened_at, v.summary) for v in found(document, [*served, *came], now="5d")}
    assert {(v.violation_id, v.opened_at, v.summary) for v in live.latest.values()} == wanted
    assert len(wanted) == 1


def test_decisions_and_calls_of_one_clause_are_told_apart() -> None:
    document = contract("agent", "- {id: looks, kind: human_review, below: 0.5}")
    calls = [call("1s", "find", event_time=at() + hour * HOUR) for hour in range(30)]
    sure = [{**event, "system": "agent"} for event in hourly(30, confidence=0.9)]
    (told,) = unjudged(found(document, [*calls, *sure], now="2d"))
    assert "none of 24 calls gives a confidence" in told.summary


@pytest.mark.parametrize(
    "clause",
    ["rate, max: 3, per: trace, tool: pay", "escalation, when: confidence < 0.5, to: ask"],
)
def test_calls_that_are_all_outside_any_conversation_are_told(clause: str) -> None:
    document = contract("agent", f"- {{id: looks, kind: {clause}}}")
    lost = [call("1s", "pay", None, event_time=at() + hour * HOUR, confidence=0.9) for hour in range(30)]
    (told,) = unjudged(found(document, lost, now="2d"))
    assert (told.severity, told.opened_at) == ("warning", at("1d"))
    assert "none of 24 calls is of a conversation (trace_id)" in told.summary
    assert unjudged(found(document, [*lost, call("20h", "pay", "t1", confidence=0.9)], now="2d")) == []
    assert unjudged(found(document.replace("looks, ", "looks, unjudged: null, "), lost, now="2d")) == []


def test_calls_that_a_rate_does_not_count_are_no_matter_outside_a_conversation() -> None:
    document = contract("agent", "- {id: looks, kind: rate, max: 3, per: trace, tool: pay}")
    others = [call("1s", "find", None, event_time=at() + hour * HOUR) for hour in range(30)]
    assert unjudged(found(document, others, now="2d")) == []
    hourly_ = contract("agent", "- {id: looks, kind: rate, max: 300, per: 1h}")
    assert unjudged(found(hourly_, others, now="2d")) == [], "of an hour, conversations are no matter"


def test_live_finds_what_a_replay_finds_and_restarts_change_nothing() -> None:
    events = [*hourly(3, score=0.5), *hourly(25, 3), *hourly(2, 30, score=0.4), *hourly(30, 32)]
    document = says("range")
    live = Live(document)
    for event in events:
        live.flush([event], event["event_time"] + MINUTE)
    live.flush([], at("4d"))
    wanted = {(v.violation_id, v.opened_at, v.state, v.resolved_at) for v in found(document, events, now="4d")}
    assert {(v.violation_id, v.opened_at, v.state, v.resolved_at) for v in live.latest.values()} == wanted
    assert len(wanted) == 2
    assert live.late == 0


def test_another_version_of_the_contract_goes_on_waiting_and_one_that_says_never_ends_it() -> None:
    first = says("range").replace("id: example", "id: example\neffective_from: 2026-03-02")
    for more, state in ((", quiet: 6h", "open"), (", unjudged: null", "resolved")):
        second = (
            says("range", more)
            .replace('version: "1"', 'version: "2"')
            .replace("id: example", "id: example\neffective_from: 2026-03-03T12:00:00Z")
        )
        (told,) = found(first + "\n---\n" + second, hourly(60), now="60h")
        assert (told.opened_at, told.state) == (at("24h"), state)


def test_what_an_estimate_does_not_rest_on_is_in_the_sentence() -> None:
    slow = [decision("1s", event_time=at() + n, latency_ms=900 if n % 3 else None) for n in range(60)]
    (told,) = found(contract("scorer", "- {id: looks, kind: signal, signal: latency, max: 800}"), slow, now="2h")
    assert "of 40 decisions (20 more left out: 20 without latency_ms) took 900 ms or more in the 1 h" in told.summary
    named = [decision("1s", event_time=at() + n, cohort="a" if n % 3 else None) for n in range(60)]
    shares = "- {id: looks, kind: representation, of: inference, shares: {a: [0, 0.5]}}"
    (told,) = found(contract("scorer", shares), named, now="2d")
    assert "decisions (20 more left out: 20 without a cohort) in the" in told.summary


def labels(number: int, wrong: int, score: float, convention: tuple[float, float]) -> list[dict[str, Any]]:
    low, high = convention
    return [outcome(n * MINUTE, score=score, label=low if n < wrong else high) for n in range(number)]


ACCURATE = contract("scorer", "- {id: looks, kind: signal, signal: accuracy, min: 0.6, window: 1d}")
CALIBRATED = contract("scorer", "- {id: looks, kind: calibration, max_error: 0.1, min_outcomes: 100, by: none}")


def test_a_model_is_not_blamed_for_labels_of_another_convention() -> None:
    # Three of ten come true at a score of 0.3: with 0 and 1 nothing is wrong, with -1 and 1 only the true ones count.
    events = [outcome(n * MINUTE, score=0.3, label=1.0 if n % 10 < 3 else -1.0) for n in range(1_000)]
    assert found(CALIBRATED, events, now="2d") == []
    assert found(ACCURATE, events, now="2d") == [], "right are all of the 700 or none: nobody can say"


def test_a_few_labels_of_another_convention_do_not_hide_a_fault() -> None:
    events = [outcome(n * MINUTE, score=0.9, label=2.0 if n % 50 == 0 else float(n % 2)) for n in range(1_000)]
    (told,) = found(CALIBRATED, events, now="2d")
    assert "more left out: " in told.summary
    assert "with a label outside 0 to 1) since" in told.summary
    (told,) = found(ACCURATE, events, now="2d")
    assert "(20 more left out: 20 with a label outside 0 to 1) were right in the" in told.summary


def test_quantities_are_right_or_wrong_as_they_are() -> None:
    events = [outcome(n * MINUTE, score=12.0, label=14.0) for n in range(100)]
    (told,) = found(ACCURATE, events, now="2d")
    assert told.observed == 0


@pytest.mark.parametrize("says_", ["calibration, max_error: 0.9", "signal, signal: accuracy, min: 0"])
def test_outcomes_where_no_decision_has_ever_come_are_told(says_: str) -> None:
    document = contract("scorer", f"- {{id: looks, kind: {says_}, unjudged: 6h}}")
    came = [outcome(hour * HOUR, score=0.7, label=1.0) for hour in range(0, 120, 4)]
    (told,) = found(document, came, now="5d")
    assert (told.severity, told.since, told.opened_at) == ("warning", at(), at("45h")), "seven times six hours"
    assert told.summary == (
        "scorer: 12 outcomes have come since 2026-03-02 00:00:00 UTC, and no decision that they could be of: look "
        "whether both name the same system"
    )
    (over,) = found(document, [*came, *hourly(1, 60, score=0.5)], now="5d")
    assert (over.state, over.resolved_at) == ("resolved", at("61h"))
    assert found(document, [*came, *hourly(1, 3, score=0.5)], now="5d") == [], "outcomes go on when decisions stop"
    assert found(document, came[:9], now="5d") == [], "nine outcomes"
    assert found(document.replace("unjudged: 6h", "unjudged: null"), came, now="5d") == []
    of_outcomes = document.replace("unjudged: 6h", "unjudged: 6h, where: label > 0.5")
    assert found(of_outcomes, came, now="5d") == [], "decisions are not counted"
