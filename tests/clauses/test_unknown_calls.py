"""Of what cannot be told a clause over calls says so, and in what way; nothing gets round it by being unreadable."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seamwatch.columnar.columns import frame_of
from seamwatch.judging.model.facts import Violation
from streams.measure.plan import Plan
from tests.clauses.history import at, call, contract, decision, estate_of, found, record_of

NEVER = "- {id: large, kind: prohibition, never: tool = 'pay' AND arguments.amount > 1000"
HASHED = "- {id: known, kind: prohibition, never: tool = 'run' AND arguments.hash <> 'sha256:00'}"
TO = "- {id: inside, kind: prohibition, never: \"tool = 'mail' AND arguments.to NOT IN ('desk@example.org')\"}"


def pay(arguments: str, offset: str = "1m", trace: str | None = "t1", **fields: Any) -> dict[str, Any]:
    return call(offset, "pay", trace, arguments=arguments, **fields)


def told(clauses: str, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(v.severity, v.slice) for v in found(contract("agent", clauses), events)]


UNREADABLE = [
    json.dumps(json.dumps({"amount": 5000})), '[{"amount": 5000}]', '{"amount": NaN}', '{"amount": 5e400}',
    '{"amount": 5000, "amount": 5}', '{"amount": 5, "amount": 5000}', '{"amount": 5000, "\\u0061mount": 5}',
    '{"note": "\\ud83e half", "amount": 5}', '{"note": {"a": 1, "a": 2}, "amount": 5}', '{"amount": 5', "5", '"x"',
]  # fmt: skip


@pytest.mark.parametrize("arguments", [*UNREADABLE, '{"amount": "5000"}', '{"amount": [5000]}', '{"amount": {"x": 1}}'])
def test_what_cannot_be_told_of_a_prohibition_is_a_breach_that_says_why(arguments: str) -> None:
    (violation,) = found(contract("agent", NEVER + "}"), [pay(arguments)])
    assert violation.severity == "breach"
    assert violation.summary.startswith(
        "agent called tool 'pay', and whether that is what it must never do (tool = 'pay' AND arguments.amount > 1000) "
        "cannot be told: "
    )
    assert violation.summary.endswith("; in conversation t1 at 2026-03-02 00:01:00 UTC")
    assert told(NEVER + ", unknown: ignore}", pay(arguments)) == []
    # Of another tool the condition is FALSE, whatever it is called with.
    assert told(NEVER + "}", call("1m", "find", arguments=arguments)) == []


@pytest.mark.parametrize("arguments", ["", "null", "{}", " { } ", '{"Amount": 5000}', '{"amount": null}'])
def test_what_is_missing_is_a_warning_once_a_conversation_or_as_agreed(arguments: str) -> None:
    events = [pay(arguments, "1m"), pay(arguments, "2m"), pay(arguments, "3m", "t2")]
    assert told(NEVER + "}", *events) == [("warning", "t1"), ("warning", "t2")]
    (first, *_) = found(contract("agent", NEVER + "}"), events)
    assert "cannot be told: arguments.amount is absent; in conversation t1" in first.summary
    assert len(first.evidence) == 2
    assert told(NEVER + ", missing: breach}", *events) == [("breach", "t1"), ("breach", "t2")]
    assert told(NEVER + ", missing: ignore}", *events) == []


def test_a_rule_that_names_no_tool_is_silent_of_what_calls_lack_unless_agreed() -> None:
    bare = "- {id: large, kind: prohibition, never: arguments.amount > 1000"
    assert told(bare + "}", pay("{}"), call("2m", "find")) == []
    assert told(bare + ", missing: warning}", call("2m", "find")) == [("warning", "t1")]
    # What is given and cannot be used is told whatever the tool.
    assert told(bare + "}", call("2m", "find", arguments='{"amount": "5000"}')) == [("breach", "t1")]


def test_a_field_without_a_value_is_no_offence() -> None:
    clause = "- {id: unsure, kind: prohibition, never: tool = 'pay' AND confidence < 0.5}"
    assert told(clause, pay("{}"), pay("{}", confidence=0.4, trace="t2")) == [("breach", "t2")]
    both = "- {id: unsure, kind: prohibition, never: tool = 'pay' AND confidence < 0.5 AND arguments.amount > 10}"
    assert told(both, pay('{"amount": 50}')) == []
    assert told(both, pay("{}")) == [("warning", "t1")]


def test_the_ways_round_a_deny_rule() -> None:
    run = [
        call("1m", "run", "wrong", arguments='{"hash": "sha256:ff"}'),
        call("2m", "run", "none", arguments="{}"),
        call("3m", "run", "right", arguments='{"hash": "sha256:00"}'),
        call("4m", "run", "number", arguments='{"hash": 0}'),
    ]
    assert told(HASHED, *run) == [("breach", "wrong"), ("warning", "none"), ("breach", "number")]
    mail = [
        call("1m", "mail", "list", arguments='{"to": ["eve@example.net"]}'),
        call("2m", "mail", "text", arguments='{"to": "eve@example.net"}'),
        call("3m", "mail", "desk", arguments='{"to": "desk@example.org"}'),
    ]
    assert told(TO, *mail) == [("breach", "list"), ("breach", "text")]


def test_whole_numbers_are_told_apart_by_their_digits() -> None:
    own = "- {id: own, kind: prohibition, never: arguments.order <> arguments.paid, missing: ignore}"
    order = 2512292042121000001
    alike, apart = json.dumps({"order": order, "paid": order}), json.dumps({"order": order, "paid": order + 1})
    events = [pay(alike), pay(apart, "2m", "t2"), pay('{"order": 1e30, "paid": 1e30}', "3m", "t3")]
    assert told(own, *events) == [("breach", "t2"), ("breach", "t3")]
    verified = "- {id: verified, kind: precondition, tool: pay, requires: ask, matching: [order]}"
    calls = [call("1s", "ask", "t1", arguments=alike), pay(alike), pay(json.dumps({"order": order + 1}), "2m")]
    assert [v.opened_at for v in found(contract("agent", verified), calls)] == [at("2m")]


def test_no_clause_is_got_round_by_its_where() -> None:
    where = "where: arguments.to <> 'desk'"
    clauses = f"""
- {{id: never, kind: prohibition, never: tool = 'pay', {where}}}
- {{id: none, kind: rate, max: 0, per: trace, {where}}}
- {{id: bounded, kind: scope, tools: [{{tool: find}}], {where}}}
- {{id: after, kind: precondition, tool: pay, requires: ask, {where}}}
- {{id: must, kind: assertion, on: tool_call, must: tool = 'find', {where}}}
- {{id: unsure, kind: human_review, below: 0.5, {where}}}
"""
    for arguments, found_by in (
        ('{"to": "x"}', True), ('{"to": ["x"]}', True), ('{"to": 1, "to": 2}', True), ("[]", True),
        ('{"to": "desk"}', False), ("{}", False),
    ):  # fmt: skip
        violations = found(contract("agent", clauses), [pay(arguments, confidence=0.1)])
        assert {v.clause for v in violations} == (
            {"never", "none", "bounded", "after", "must", "unsure"} if found_by else set()
        ), arguments


def test_scope_and_assertions_say_why_they_do_not_hold() -> None:
    clauses = """
- {id: tools, kind: scope, tools: [{tool: pay, where: arguments.amount <= 100}]}
- {id: must, kind: assertion, on: tool_call, must: arguments.amount <= 100}
"""
    tools, must = found(contract("agent", clauses), [pay('{"amount": "5"}')])
    assert (
        "arguments outside what was agreed (arguments.amount is text, not a number), in conversation" in tools.summary
    )
    when = "in conversation t1 at 2026-03-02 00:01:00 UTC"
    assert must.summary.endswith(f"did not hold {when}: arguments.amount is text, not a number")
    scored = contract("scorer", "- {id: must, kind: assertion, must: score >= 0}")
    (violation,) = found(scored, [decision("1m")])
    assert violation.summary.endswith("did not hold at 2026-03-02 00:01:00 UTC: score has no value")


# Escalation: when it cannot be told whether a person is needed, one is


LARGE = "- {id: handed, kind: escalation, when: tool = 'pay' AND arguments.amount > 1000, to: hand_over, within: 1"


def late(arguments: str, clause: str) -> list[Violation]:
    return found(contract("agent", clause), [pay(arguments), call("2m", "find"), call("3m", "hand_over")])


@pytest.mark.parametrize("arguments", [*UNREADABLE, '{"amount": "5000"}', '{"amount": [5000]}'])
def test_a_call_of_which_it_cannot_be_told_goes_to_a_person(arguments: str) -> None:
    (violation,) = late(arguments, LARGE + "}")
    assert (violation.severity, violation.opened_at) == ("breach", at("1m"))
    assert violation.summary.startswith(
        "agent: whether tool = 'pay' AND arguments.amount > 1000 held in conversation t1 at 2026-03-02 00:01:00 UTC "
        "cannot be told for what the call gives, so that a person was needed, and it was not handed to a person"
    )
    assert late(arguments, LARGE + ", unknown: ignore}") == []
    handed = [pay(arguments), call("2m", "hand_over")]
    assert found(contract("agent", LARGE + "}"), handed) == []


def test_a_call_that_lacks_the_argument_goes_to_a_person_where_that_is_agreed() -> None:
    assert late("{}", LARGE + "}") == []
    (violation,) = late("{}", LARGE + ", missing: breach}")
    assert "cannot be told" in violation.summary


def test_every_call_is_due_a_hand_over_both_or_neither() -> None:
    from seamwatch.clauses import kinds
    from seamwatch.expressions.closure import Row
    from seamwatch.guard.asking import condition_of
    from tests.clauses.test_largest_state import SEAM

    for options in ({}, {"unknown": "ignore"}, {"missing": "breach"}, {"unknown": "ignore", "missing": "breach"}):
        clause = kinds()["escalation"].model_validate(
            {"id": "handed", "kind": "escalation", "when": "arguments.amount > 1000", "to": "hand_over", **options}
        )
        asked = {m.name: condition_of(m, None) for m in clause.measures(SEAM)}
        for tool in ("pay", "hand_over"):
            for decided in ("allowed", "escalated", "denied"):
                for arguments in ('{"amount": 5}', '{"amount": 5000}', '{"amount": "5"}', "{}", "[]"):
                    row = Row({"tool": tool, "decision": decided, "arguments": arguments, "trace_id": "t"})
                    roles = [name for name, holds in asked.items() if holds is not None and holds(row)]
                    if decided != "denied":
                        assert len(roles) == 1, (options, tool, arguments, roles)
                    else:
                        assert set(roles) <= {"tried"}


# Human review


def test_an_event_that_states_no_confidence_is_counted_or_needs_a_person_as_agreed() -> None:
    events = [pay("{}"), pay("{}", confidence=0.9, trace="t2")]
    assert told("- {id: unsure, kind: human_review, below: 0.5}", *events) == []
    agreed = "- {id: unsure, kind: human_review, below: 0.5, unknown: breach}"
    (violation,) = found(contract("agent", agreed), events)
    assert "a call of tool 'pay' without a confidence in conversation t1" in violation.summary
    handed = [pay("{}", decision="escalated"), pay("{}", decision="denied", trace="t2")]
    assert told(agreed, *handed) == []
    (violation,) = found(contract("scorer", agreed), [decision("1m"), decision("2m", human_review=True)])
    assert "a decision without a confidence at" in violation.summary


@pytest.mark.parametrize(
    ("clause", "number"),
    [
        # A call that was denied is none that would have been counted.
        ("- {id: few, kind: rate, max: 3, per: trace}", 3),
        ("- {id: few, kind: rate, max: 3, per: trace, tool: pay}", 2),
        ("- {id: few, kind: rate, max: 3, per: trace, where: confidence < 0.5}", 1),
        ("- {id: few, kind: rate, max: 3, per: 1h}", 0),
        ("- {id: few, kind: escalation, when: arguments.amount > 1000}", 1),
    ],
)
def test_what_is_of_no_conversation_is_unknown_to_a_clause_on_conversations(clause: str, number: int) -> None:
    events = [
        pay('{"amount": 5000}', "1m", None),
        pay('{"amount": 5}', "2m", None, confidence=0.1),
        call("3m", "find", None, arguments='{"amount": 1}', confidence=0.9),
        pay('{"amount": 5}', "4m", None, decision="denied", confidence=0.9),
        pay('{"amount": 5}', "5m", "t1", confidence=0.9),
    ]
    plan = Plan(estate_of(contract("agent", clause)))
    plan.facts("tool_call", frame_of("tool_call", [record_of(event)[1] for event in events]))
    absent = sum(one.absent for one in plan.take_unknown())
    # Of an absent confidence `where` cannot be told either.
    assert absent == number + clause.count("where")
