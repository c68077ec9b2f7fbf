"""Rate: what is counted, when it is too much, and that batches do not matter."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest

from seamwatch.clauses import kinds
from seamwatch.columnar.columns import frame_of
from seamwatch.durations import HOUR, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.errors import SeamwatchError
from seamwatch.judging.model.facts import Measurement, Violation, Watermark
from seamwatch.testing import named
from streams.measure.plan import Plan
from tests.clauses.history import at, call, contract, decision, estate_of, found, record_of
from tests.clauses.worked import worked_example

ONE_REFUND = contract("agent", worked_example(kinds()["rate"]))


def rate(clauses: str) -> str:
    return contract("agent", f"- {{id: often, kind: rate, {clauses}}}")


def live(documents: str, events: list[dict[str, Any]], batch: int, lag: int = 0) -> list[Violation]:
    """What a judge that is restarted between any two flushes finds, told in the order given."""
    estate = estate_of(documents)
    plan, judge, topic = Plan(estate), Judge(estate), dict[str, bytes]()
    latest: dict[str, Violation] = {}
    records = [record_of(event) for event in events]
    types = {name for name, _ in records}
    assert len(types) == 1
    kind = types.pop()
    now = 0
    for begun in range(0, len(records) + 1, batch):
        part = [record for _, record in records[begun : begun + batch]]
        now = max([now, *(record["event_time"] + lag for record in part)])
        facts = []
        if part:
            position = {"__topic": pl.String(), "__partition": pl.Int32(), "__offset": pl.Int64()}
            frame = frame_of(kind, part).with_columns(pl.lit(None, dtype).alias(n) for n, dtype in position.items())
            facts = plan.facts(kind, frame)  # type: ignore[arg-type]
        for clock in (now, now + 2 * SECOND) if part else (now, now + 10 * SECOND):
            mark = Watermark("calls", 0, 0, clock, caught_up=True)
            output = judge.on_measurement(Measurement(clock, (mark,), tuple(facts)))
            latest |= {v.violation_id: v for v in output.violations}
            facts = []
            for key, value in judge.take_dirty().items():
                topic.pop(key, None) if value is None else topic.update({key: value})
            judge = Judge(estate)
            for key, value in topic.items():
                judge.restore(key, value)
    return sorted(latest.values(), key=lambda v: (v.opened_at, v.violation_id))


def told(violations: list[Violation]) -> list[tuple[Any, ...]]:
    return [
        (v.violation_id, v.slice, v.opened_at, v.observed, v.summary, [named(e.event_id) for e in v.evidence])
        for v in violations
    ]


def test_the_first_call_too_many_opens_one_episode_a_conversation() -> None:
    events = [
        call("1m", "refund", "t1"),
        call("2m", "find_user", "t1"),
        call("3m", "refund", "t1", event_id="second"),
        call("4m", "refund", "t1", event_id="third"),
        call("5m", "refund", "t2"),
        call("6m", "refund", None),
        call("7m", "refund", None),
    ]
    violations = found(ONE_REFUND, events)
    assert [(v.slice, v.opened_at, v.since, v.observed, v.limit) for v in violations] == [
        ("t1", at("3m"), at("1m"), 2, 1)
    ]
    assert [e.event_id for e in violations[0].evidence] == ["second", "third"]
    assert violations[0].summary == (
        "agent made more than 1 calls of tool 'refund' in conversation t1; agreed at most 1"
    )


def test_a_conversation_across_midnight_is_one_and_one_after_a_silent_day_begins_anew() -> None:
    across = [call("23h59m", "refund", "t1"), call("1d1m", "refund", "t1")]
    assert [v.opened_at for v in found(ONE_REFUND, across)] == [at("1d1m")]
    apart = [call("1h", "refund", "t1"), call("1d1h", "refund", "t1")]
    assert found(ONE_REFUND, apart) == []


def test_an_episode_ends_with_its_conversation() -> None:
    events = [call("1m", "refund", "t1"), call("2m", "refund", "t1"), call("3h", "find_user", "t9")]
    assert [(v.state, v.resolved_at) for v in found(ONE_REFUND, events)] == [("resolved", at("32m"))]


def test_calls_in_a_stretch_of_time_are_counted_by_window() -> None:
    clauses = rate("max: 3, per: 1h")
    busy = [call(f"{minute}m", "x", f"t{minute}") for minute in (61, 62, 63, 64, 65)]
    quiet = [call("10m", "x"), call("2h10m", "x")]
    violations = found(clauses, [*busy, *quiet], now="2h30m")
    assert [(v.slice, v.state, v.opened_at, v.observed) for v in violations] == [(None, "open", at("64m"), 5)]
    assert "made 5 tool calls in the 1 h from 2026-03-02 01:00:00 UTC; agreed at most 3" in violations[0].summary
    assert [v.resolved_at for v in found(clauses, [*busy, *quiet], now="4h")] == [at("3h")]


def test_windows_that_exceed_one_after_the_other_are_one_episode() -> None:
    events = [call(f"{hour}h{minute}m", "x") for hour in (1, 2, 5) for minute in range(1, 4)]
    violations = found(rate("max: 2, per: 1h"), events, now="9h")
    # The second begins within three windows of the first's end: it flaps, and needs three windows without another.
    assert [(v.opened_at, v.resolved_at) for v in violations] == [(at("1h3m"), at("4h")), (at("5h3m"), at("9h"))]
    agreed = found(rate("max: 2, per: 1h, quiet: 2h"), events, now="9h")
    assert [(v.opened_at, v.resolved_at) for v in agreed] == [(at("1h3m"), at("5h")), (at("5h3m"), at("8h"))]


def test_decisions_about_one_person_are_counted() -> None:
    clauses = contract("scorer", "- {id: often, kind: rate, max: 2, per: subject}")
    events = [
        decision(f"{hour}h", subject=subject) for hour in range(1, 5) for subject in ("a", "b" if hour < 3 else "c")
    ]
    violations = found(clauses, events)
    assert [(v.slice, v.opened_at) for v in violations] == [("a", at("3h"))]
    assert "decisions about a in the 24 h from" in violations[0].summary


def test_a_large_number_is_judged_when_its_window_is_complete() -> None:
    events = [call("1h", "x", event_time=at("1h") + number) for number in range(1_100)]
    assert found(rate("max: 1050, per: 1h"), events, now="1h59m") == []
    violations = found(rate("max: 1050, per: 1h"), events, now="2h")
    assert [(v.opened_at, v.observed) for v in violations] == [(at("2h"), 1_100)]


@pytest.mark.parametrize("clauses", ["max: 7, per: trace, tool: a", "max: 30, per: 10m", "max: 12, per: 10m, tool: b"])
@pytest.mark.parametrize("batch", [1, 13, 200])
def test_batches_order_and_restarts_change_nothing(clauses: str, batch: int) -> None:
    chance = random.Random(4)
    times = sorted(chance.randrange(2 * HOUR) for _ in range(400))
    events = [
        call("1s", chance.choice("ab"), chance.choice(["t1", "t2", "t3"]), event_time=at() + time,
             event_id=f"e{number:04d}")
        for number, time in enumerate(times)
    ]  # fmt: skip
    jumbled = sorted(events, key=lambda event: event["event_time"] + chance.randrange(3 * SECOND))
    expected = found(rate(clauses), events)
    assert len(expected) > 1
    assert told(live(rate(clauses), jumbled, batch, lag=4 * SECOND)) == told(expected)


@pytest.mark.parametrize("clauses", ["max: 1, per: subject, tool: x", "max: 2000, per: trace", "max: 1, per: soon"])
def test_what_cannot_be_counted_is_refused(clauses: str) -> None:
    with pytest.raises(SeamwatchError):
        estate_of(rate(clauses))
