"""Prohibition: what the agent never does, and what is not that."""

from __future__ import annotations

from seamwatch.clauses import kinds
from tests.clauses.history import at, call, contract, found
from tests.clauses.worked import worked_example

NEVER = contract("agent", worked_example(kinds()["prohibition"]))


def refund(offset: str, trace: str | None, arguments: str, **fields: str) -> dict[str, object]:
    return call(offset, "refund", trace, arguments=arguments, **fields)


def test_one_episode_a_conversation_opens_at_the_first_prohibited_call() -> None:
    flown, unused = '{"segments_flown": 2}', '{"segments_flown": 0}'
    events = [
        refund("1m", "t1", unused),
        refund("2m", "t1", flown, event_id="a"),
        refund("3m", "t1", flown, event_id="b"),
        refund("4m", "t2", flown, decision="denied"),
        call("5m", "find_user", "t3", arguments=flown),
        refund("6m", None, flown),
    ]
    violations = found(NEVER, events)
    assert [(v.slice, v.opened_at, v.state) for v in violations] == [
        ("t1", at("2m"), "open"), ("t2", at("4m"), "open"), (None, at("6m"), "open")
    ]  # fmt: skip
    assert [e.event_id for e in violations[0].evidence] == ["a", "b"]
    assert "never do (tool = 'refund'" in violations[0].summary


def test_where_selects_the_calls_that_are_looked_at() -> None:
    clauses = contract("agent", "- {id: never, kind: prohibition, never: tool = 'x', where: decision = 'allowed'}")
    events = [call("1m", "x", "t1", decision="denied"), call("2m", "x", "t2")]
    assert [v.slice for v in found(clauses, events)] == ["t2"]


def test_it_is_over_when_the_conversation_is() -> None:
    violations = found(NEVER, [refund("2m", "t1", '{"segments_flown": 1}')], now="2h")
    assert [(v.state, v.resolved_at) for v in violations] == [("resolved", at("32m"))]


def test_outside_any_conversation_one_episode_can_follow_another() -> None:
    flown = '{"segments_flown": 1}'
    events = [refund(when, None, flown) for when in ("1m", "2m", "3h", "5h")]
    violations = found(NEVER, events)
    assert [(v.slice, v.opened_at, len(v.evidence)) for v in violations] == [
        (None, at("1m"), 2), (None, at("3h"), 1), (None, at("5h"), 1)
    ]  # fmt: skip
    assert len({v.violation_id for v in violations}) == 3
