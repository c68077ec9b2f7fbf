"""Precondition: the order of two calls in one conversation, however they arrive."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from seamwatch.clauses import kinds
from seamwatch.durations import HOUR, SECOND
from seamwatch.errors import SeamwatchError
from tests.clauses.history import at, call, contract, estate_of, found
from tests.clauses.test_rate import live, told
from tests.clauses.worked import worked_example

VERIFIED = contract("agent", worked_example(kinds()["precondition"]))
PLAIN = contract("agent", "- {id: first, kind: precondition, tool: refund, requires: verify_identity}")


def of(offset: str, tool: str, user: Any, trace: str | None = "t1", **fields: Any) -> dict[str, Any]:
    return call(offset, tool, trace, arguments=json.dumps({"user_id": user}), **fields)


def test_a_call_without_what_it_requires_is_a_breach() -> None:
    events = [
        call("1m", "verify_identity", "t1"),
        call("2m", "refund", "t1"),
        call("3m", "refund", "t2", event_id="a"),
        call("4m", "verify_identity", "t2"),
        call("5m", "refund", "t2"),
        call("6m", "refund", "t3", decision="denied"),
        call("7m", "verify_identity", None),
        call("8m", "refund", None),
    ]
    violations = found(PLAIN, events)
    assert [(v.slice, v.opened_at, v.state) for v in violations] == [
        ("t2", at("3m"), "open"), ("t3", at("6m"), "open"), (None, at("8m"), "open")
    ]  # fmt: skip
    assert [e.event_id for e in violations[0].evidence] == ["a"]
    assert violations[0].summary == (
        "agent called tool 'refund' without having called 'verify_identity' before, in conversation t2 at "
        "2026-03-02 00:03:00 UTC"
    )


def test_the_named_arguments_must_be_equal() -> None:
    assert found(VERIFIED, [of("1m", "verify_identity", 7), of("2m", "refund", 7.0)]) == []
    for verified, refunded in ((7, 8), (7, "7"), (None, None), ([1], [2])):
        events = [of("1m", "verify_identity", verified), of("2m", "refund", refunded)]
        assert [v.opened_at for v in found(VERIFIED, events)] == [at("2m")], (verified, refunded)


def test_a_denied_call_does_not_fulfil_and_where_selects_the_guarded_calls() -> None:
    denied = [call("1m", "verify_identity", decision="denied"), call("2m", "refund")]
    assert len(found(PLAIN, denied)) == 1
    selective = contract(
        "agent", "- {id: f, kind: precondition, tool: refund, requires: ask, where: arguments.amount > 100}"
    )
    small = call("1m", "refund", "t1", arguments='{"amount": 5}')
    large = call("2m", "refund", "t2", arguments='{"amount": 500}')
    asked = [call("1m", "ask", "t3"), call("2m", "refund", "t3", arguments='{"amount": 500}')]
    assert [v.slice for v in found(selective, [small, large, *asked])] == ["t2"]


def test_what_was_required_holds_for_a_day_and_an_episode_ends_with_its_conversation() -> None:
    held = [call("1h", "verify_identity"), call("20h", "refund")]
    assert found(PLAIN, held) == []
    lapsed = [call("1h", "verify_identity"), call("1d1h", "refund")]
    assert [(v.opened_at, v.state) for v in found(PLAIN, lapsed)] == [(at("1d1h"), "open")]
    assert [(v.state, v.resolved_at) for v in found(PLAIN, lapsed, now="2d")] == [("resolved", at("1d1h30m"))]


@pytest.mark.parametrize("batch", [1, 17, 300])
def test_batches_order_and_restarts_change_nothing(batch: int) -> None:
    chance = random.Random(5)
    times = sorted(chance.randrange(3 * HOUR) for _ in range(300))
    events = [
        of("1s", chance.choice(["refund", "verify_identity", "verify_identity"]), chance.randrange(4),
           f"t{time * 6 // HOUR}", event_time=at() + time, event_id=f"e{number:04d}")
        for number, time in enumerate(times)
    ]  # fmt: skip
    jumbled = sorted(events, key=lambda event: event["event_time"] + chance.randrange(2 * SECOND))
    expected = found(VERIFIED, events, now="3h10m")
    assert len(expected) > 3
    assert told(live(VERIFIED, jumbled, batch, lag=SECOND)) == told(expected)


def test_a_call_cannot_be_its_own_precondition() -> None:
    with pytest.raises(SeamwatchError, match="own precondition"):
        estate_of(contract("agent", "- {id: f, kind: precondition, tool: a, requires: a}"))
