"""Why a condition is NULL is said in words; whatever is NULL has a reason, and nothing else has one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from seamwatch.expressions import Expression
from seamwatch.expressions.closure import Row, closure
from seamwatch.expressions.doubts import LONGEST, doubts
from tests.expressions.strategies import EVENTS, expressions

BOTH = "arguments.a and 12345678901234567890"
LARGE = "are too large to be told apart as they are written"


@pytest.mark.parametrize(
    ("condition", "arguments", "said"),
    [
        ("arguments.amount > 1000", '{"amount": "5"}', "arguments.amount is text, not a number"),
        ("arguments.amount > 1000", '{"amount": [5]}', "arguments.amount is a list, not a number"),
        ("arguments.amount > 1000", '{"amount": null}', "arguments.amount is absent"),
        ("arguments.amount > 1000", "[1]", "its arguments are a list, and no JSON object"),
        ("arguments.amount > 1000", '"{}"', "its arguments are text, and no JSON object"),
        ("arguments.amount > 1000", '{"x": 1, "x": 2}', "its arguments give the key 'x' twice"),
        ("arguments.amount > 1000", '{"x": NaN}', "its arguments hold NaN, which is not JSON"),
        ("tool = 'refund' AND NOT arguments.a.b", '{"a": {"b": 1}}', "arguments.a.b is a number, not true or false"),
        ("array_length(arguments.to) > 1", '{"to": "x"}', "arguments.to is text, not a list"),
        ("arguments.a <> arguments.b", '{"a": 1, "b": "x"}', "arguments.a is a number and arguments.b is text"),
        ("arguments.a <> arguments.b", '{"a": 1}', "arguments.b is absent"),
        ("arguments.a <> arguments.b", '{"a": 1e30, "b": 1e30}', f"arguments.a and arguments.b {LARGE}"),
        ("arguments.a = 12345678901234567890", '{"a": 12345678901234567890.0}', f"{BOTH} {LARGE}"),
        ("arguments.a * 2 > 1", '{"a": 1e30}', "arguments.a is too large to calculate with exactly"),
        ("1 / arguments.a > 0", '{"a": 0}', "a calculation has no result"),
        ("coalesce(arguments.a, 10) < 5", '{"a": "x"}', "arguments.a is text, not a number"),
        ("confidence < 0.5 AND arguments.a > 1", "{}", "confidence has no value; arguments.a is absent"),
        ("confidence < 0.5 AND arguments.a > 1", '{"a": ""}', "arguments.a is text, not a number"),
        ("attributes.region <> 'x'", "{}", "attributes.region has no value"),
        ("tool = 'refund' AND arguments.a > 1 OR arguments.c IS NULL", '{"a": 5}', ""),
    ],
)  # fmt: skip
def test_it_is_said_why(condition: str, arguments: str, said: str) -> None:
    record: dict[str, Any] = {"tool": "refund", "arguments": arguments, "confidence": None, "attributes": []}
    assert doubts(Expression.parse(condition), "tool_call")(Row(record)) == said


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(EVENTS["tool_call"], expressions("tool_call"))
def test_what_is_unknown_has_a_reason_and_nothing_else_has(record: dict[str, Any], condition: Expression) -> None:
    said = doubts(condition, "tool_call")(Row(record))
    assert bool(said) is (closure(condition, "tool_call")(record) is None)
    assert len(said) <= LONGEST
    assert "\x1f" not in said
