"""Escalation: what must be handed to a person is, in time; and what the sentence says of it."""

from __future__ import annotations

import random

import polars as pl
import pytest

from seamwatch.clauses import kinds
from seamwatch.columnar.columns import frame_of
from seamwatch.durations import HOUR, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.judging.model.facts import Measurement, Notice, Watermark
from streams.measure.plan import Plan
from tests.clauses.history import at, call, contract, estate_of, found, record_of
from tests.clauses.test_rate import live, told
from tests.clauses.worked import worked_example

LARGE = contract("agent", worked_example(kinds()["escalation"]))
ASKED = contract("agent", "- {id: asked, kind: escalation, when: confidence < 0.5}")
LARGE_REFUND = '{"amount": 5000}'


def large(offset: str, trace: str = "t1", **fields: object) -> dict[str, object]:
    return call(offset, "refund", trace, arguments=LARGE_REFUND, **fields)


def test_a_hand_over_in_time_is_no_breach_and_one_call_later_is() -> None:
    in_time = [large("1m"), call("2m", "find"), call("3m", "transfer_to_human")]
    assert found(LARGE, in_time, now="2h") == []
    late = [large("1m", event_id="a"), call("2m", "find"), call("3m", "find"), call("4m", "transfer_to_human")]
    violations = found(LARGE, late)
    assert [(v.slice, v.opened_at, v.observed, v.state) for v in violations] == [("t1", at("1m"), 0, "open")]
    assert [e.event_id for e in violations[0].evidence] == ["a"]
    assert "not handed to a person (transfer_to_human) within 2 calls" in violations[0].summary


def test_calls_of_other_conversations_are_not_counted() -> None:
    events = [large("1m"), call("2m", "find", "t2"), call("3m", "find", "t2"), call("4m", "transfer_to_human")]
    assert found(LARGE, events) == []


def test_a_conversation_that_ends_without_it_is_a_miss() -> None:
    assert [v.opened_at for v in found(LARGE, [large("1m")])] == [at("1m")]
    idle = [large("1m"), call("40m", "transfer_to_human")]
    assert [(v.opened_at, v.state, v.resolved_at) for v in found(LARGE, idle)] == [(at("1m"), "resolved", at("31m"))]
    assert [v.state for v in found(LARGE, [large("1m")], now="31m")] == ["resolved"]


def test_a_denied_hand_over_is_none() -> None:
    assert len(found(LARGE, [large("1m"), call("2m", "transfer_to_human", decision="denied")])) == 1


def test_a_decision_hands_over_too_and_null_does_not_hold() -> None:
    assert found(ASKED, [call("1m", "x", confidence=0.1, decision="escalated")]) == []
    assert found(ASKED, [call("1m", "x", confidence=0.1), call("2m", "y", decision="escalated")]) == []
    assert found(ASKED, [call("1m", "x"), call("2m", "y", confidence=0.7), call("3m", "y", trace=None)]) == []
    assert len(found(ASKED, [call("1m", "x", confidence=0.1), call("2m", "y")])) == 1


def test_the_sentence_gives_recall_and_precision() -> None:
    events = [
        call("1m", "x", confidence=0.1), call("2m", "y", decision="escalated"), call("3m", "y", decision="escalated"),
        call("4m", "x", confidence=0.1), call("5m", "y"),
    ]  # fmt: skip
    violations = found(ASKED, events)
    assert [(v.opened_at, v.observed, v.unit) for v in violations] == [(at("4m"), 0.5, "recall")]
    assert violations[0].summary.endswith(
        "so far 1 of 2 hand-overs due were made (recall 50 %), 1 of 2 made were due (precision 50 %)"
    )


@pytest.mark.parametrize("batch", [1, 17, 300])
def test_batches_order_and_restarts_change_nothing(batch: int) -> None:
    chance = random.Random(6)
    times = sorted(chance.randrange(3 * HOUR) for _ in range(300))
    events = [
        call("1s", chance.choice(["refund", "find", "find", "transfer_to_human"]), f"t{time * 8 // HOUR}",
             arguments=chance.choice([LARGE_REFUND, "{}"]), event_time=at() + time, event_id=f"e{number:04d}")
        for number, time in enumerate(times)
    ]  # fmt: skip
    jumbled = sorted(events, key=lambda event: event["event_time"] + chance.randrange(2 * SECOND))
    closing = call("5h", "find", "end", event_id="end")
    expected = found(LARGE, [*events, closing])
    assert len(expected) > 3
    assert told(live(LARGE, [*jumbled, closing], batch, lag=SECOND)) == told(expected)


def summaries(documents: str, events: list[dict[str, object]], batch: int) -> list[Notice]:
    """The notices of a judge that is restarted between any two flushes."""
    estate, topic, told = estate_of(documents), dict[str, bytes](), list[Notice]()
    judge = Judge(estate)
    for begun in range(0, len(events), batch):
        part = [record_of(event)[1] for event in events[begun : begun + batch]]
        now = max(record["event_time"] for record in part)
        position = {"__topic": pl.String(), "__partition": pl.Int32(), "__offset": pl.Int64()}
        frame = frame_of("tool_call", part).with_columns(pl.lit(None, dtype).alias(n) for n, dtype in position.items())
        for clock, facts in ((now, tuple(Plan(estate).facts("tool_call", frame))), (now + 10 * SECOND, ())):
            mark = Watermark("calls", 0, 0, clock, caught_up=True)
            told += judge.on_measurement(Measurement(clock, (mark,), facts)).notices
            for key, value in judge.take_dirty().items():
                topic.pop(key, None) if value is None else topic.update({key: value})
            judge = Judge(estate)
            for key, value in topic.items():
                judge.restore(key, value)
    return told


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_the_summary_counts_the_hand_overs_of_all_conversations(batch: int) -> None:
    text = contract(
        "agent",
        "- {id: asked, kind: escalation, when: confidence < 0.5, summary: {every: 1d, to: second@example.org}}",
    )
    unsure = {"confidence": 0.1}
    handed = {"decision": "escalated"}
    events = [
        # a: one met by the next call, then one made needlessly; b: one missed by a call that came instead;
        # c: one met at once, and one that the end of the conversation leaves missed; d: a day later, one met.
        call("1h", "x", "a", **unsure), call("1h1m", "x", "a", **handed), call("1h2m", "x", "a", **handed),
        call("2h", "x", "b", **unsure), call("2h1m", "x", "b"),
        call("3h", "x", "c", **unsure, **handed), call("23h59m", "x", "c", **unsure),
        call("1d1h", "x", "d", **unsure), call("1d1h1m", "x", "d", **handed),
        call("3d", "x", "e"), call("4d1h", "x", "e"),
    ]  # fmt: skip
    events = [{**event, "event_id": f"e{number:02}"} for number, event in enumerate(events)]
    told = summaries(text, events, batch)
    assert [(notice.person, notice.due_at, notice.type) for notice in told] == [
        ("second@example.org", at(f"{day}d"), "summary") for day in (1, 2, 3, 4)
    ]
    # Wilson's intervals of 2 in 4, of 2 in 3 and of 1 in 1.
    assert told[0].summary.endswith(
        ": hand-overs due 4, missed 2, made 3, needlessly 1; recall 50 % (95 % sure: 15 % to 85 %) of 4; "
        "precision 67 % (95 % sure: 21 % to 94 %) of 3"
    )
    assert ": hand-overs due 1, missed 0, made 1, needlessly 0; recall 100 % (95 % sure: 21 %" in told[1].summary
    assert "nothing was seen from 2026-03-04 00:00:00 UTC" in told[2].summary
    assert told[3].summary.endswith(": hand-overs due 0, missed 0, made 0, needlessly 0")
