"""What is called impossible is: no event meets it. What an author is most likely to slip on is called so."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seamwatch.errors import ExpressionError, OutOfBounds
from seamwatch.expressions import Expression, tree
from seamwatch.expressions.closure import closure
from seamwatch.expressions.possible import certain, contradiction
from seamwatch.expressions.slipping import passing
from seamwatch.wire.checks import check_bounds
from tests.expressions import strategies

IMPOSSIBLE = {
    "arguments.amount BETWEEN 1000 AND 100": "arguments.amount would have to be at least 1000 and at most 100",
    "tool = 'a' AND tool = 'b'": "tool would have to be 'a' and 'b'",
    "tool IN ('a', 'b') AND tool NOT IN ('b', 'a')": ("tool would have to be one of 'a', 'b' and none of 'b', 'a'"),
    "arguments.a > 5 AND arguments.a = 'x'": "arguments.a would have to be above 5 and 'x'",
    "arguments.a = 9007199254740993 AND arguments.a = 9007199254740992": (
        "arguments.a would have to be 9007199254740993 and 9007199254740992"
    ),
    "arguments.a = 1 AND arguments.a IS NULL": "arguments.a would have to be 1 and NULL",
    "NOT (tool = 'a' OR tool <> 'a')": "tool would have to be not 'a' and 'a'",
    "confidence > 1": "confidence would have to be above 1, but is 0 at the least and 1 at the most",
    "confidence < 0 OR confidence > 1": "confidence would have to be below 0, but is 0 at the least and 1 at the most",
    "length(tool) < 0": "length(tool) would have to be below 0, but is 0 or more",
    "array_length(arguments.items) < 0": "array_length(arguments.items) would have to be below 0, but is 0 or more",
    "lower(tool) = 'Refund'": "lower(tool) would have to be 'Refund', but is text without A to Z",
    "upper(tool) LIKE 'refund'": "upper(tool) would have to be like 'refund', but is text without a to z",
    "tool IS NULL": "tool is always given",
    "decision NOT IN ('allowed', 'denied', 'escalated')": (
        "decision would have to be none of 'allowed', 'denied', 'escalated', but is one of 'allowed', 'denied', "
        "'escalated'"
    ),
    "tool LIKE 'a%' AND tool LIKE 'b%'": "tool would have to be like 'a%' and like 'b%'",
    "tool LIKE '%a' AND ends_with(tool, 'b')": "tool would have to be like '%a' and text that ends with 'b'",
    "tool = 'sell' AND tool LIKE 'buy%'": "tool would have to be 'sell' and like 'buy%'",
    "tool > 'b' AND tool < 'a'": "tool would have to be above 'b' and below 'a'",
    "arguments.a < arguments.b AND arguments.b < arguments.a": "arguments.a cannot compare so with arguments.b",
    "tool <> tool": "tool cannot compare so with tool",
    "1 > 2": "a literal would have to be below 1 and 2",
    "arguments.a > -1 AND arguments.a < -2": "arguments.a would have to be above -1 and below -2",
    "FALSE": "it is FALSE whatever the event says",
    "arguments.on = TRUE AND arguments.on = FALSE": "arguments.on would have to be true and false",
}
POSSIBLE = [
    "arguments.amount BETWEEN 100 AND 100",
    "arguments.amount > 100 AND arguments.amount < 100.5",
    "tool = 'a' OR tool = 'b'",
    "arguments.a = 'x' OR arguments.a > 5",
    "arguments.a IS NULL AND arguments.b = 1",
    "(tool = 'a') IS NOT TRUE AND (tool = 'b') IS NOT TRUE",
    "tool LIKE 'a%' AND tool LIKE '%b' AND tool NOT LIKE 'ab'",
    "tool LIKE 'a%' AND starts_with(tool, 'ab')",
    "lower(tool) = 'refund' AND tool = 'Refund'",
    "confidence >= 1 AND confidence <= 1",
    "tool <> 'a' AND tool <> 'b' AND tool > 'a'",
    "arguments.a <= arguments.b AND arguments.b <= arguments.a",
    "coalesce(arguments.a, 1) = 1 AND arguments.a IS NULL",
    "decision NOT IN ('allowed', 'denied')",
    "attributes.a = 'x' AND attributes.b = 'y'",
]


@pytest.mark.parametrize(("text", "why"), IMPOSSIBLE.items())
def test_what_no_event_can_meet_is_told_with_the_parts_that_contradict(text: str, why: str) -> None:
    assert contradiction(Expression.parse(text), "tool_call") == why


@pytest.mark.parametrize("text", POSSIBLE)
def test_what_an_event_can_meet_is_not_accused(text: str) -> None:
    assert contradiction(Expression.parse(text), "tool_call") is None


VALUES: tuple[Any, ...] = (None, 0, 1, 1.5, 2, 2**53, 2**53 + 1, "a", "ab", "B", "", True, False, [1], {"x": 1})
EVENTS = [
    {
        "tool": tool,
        "decision": decision,
        "confidence": confidence,
        "trace_id": trace,
        "arguments": json.dumps({"a": a, "b": b}) if a != [1] or b != "B" else '{"a": 1, "a": 2}',
    }
    for a, b, (tool, decision, confidence, trace) in product(
        VALUES, VALUES, [("a", "allowed", None, None), ("ab", "denied", 1.0, "a"), ("B", "escalated", 0.0, "b")]
    )
]
_terms = st.sampled_from(
    ["arguments.a", "arguments.b", "tool", "decision", "confidence", "trace_id", "lower(tool)", "length(tool)",
     "array_length(arguments.a)", "coalesce(arguments.a, 1)", "least(confidence, 1)"]
)  # fmt: skip
_literals = st.sampled_from(
    ["0", "1", "1.5", "2", "9007199254740992", "9007199254740993", "'a'", "'ab'", "'B'", "''", "TRUE", "'allowed'"]
)
_operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_patterns = st.sampled_from(["'a%'", "'%b'", "'a'", "'_'", "'%'", "'B%'"])
_parts = st.one_of(
    st.tuples(_terms, _operators, _literals).map(" ".join),
    st.tuples(_terms, _operators, _terms).map(" ".join),
    st.tuples(_terms, _patterns).map(" LIKE ".join),
    st.tuples(_terms, st.sampled_from(["IS NULL", "IS NOT NULL"])).map(" ".join),
    st.tuples(_terms, _literals, _literals).map(lambda t: f"{t[0]} IN ({t[1]}, {t[2]})"),
    st.tuples(_terms, _patterns).map(lambda t: f"starts_with({t[0]}, {t[1]})"),
)
_whole = st.recursive(
    _parts,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " AND ", " OR "]), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        inner.map(lambda t: f"NOT ({t})"),
        inner.map(lambda t: f"({t}) IS NOT TRUE"),
        inner.map(lambda t: f"({t}) IS FALSE"),
        inner.map(lambda t: f"({t}) = TRUE"),
    ),
    max_leaves=6,
)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_whole)
def test_no_event_meets_what_is_called_impossible_nor_fails_what_is_called_certain(text: str) -> None:
    try:
        expression = Expression.parse(text)
        holds = closure(expression, "tool_call")
    except ExpressionError:  # kinds that do not mix
        return
    answers = {holds(event) for event in EVENTS}
    if True in answers:
        assert contradiction(expression, "tool_call") is None
    if answers != {True}:
        assert not certain(expression, "tool_call")


@settings(max_examples=300)
@given(st.data(), st.sampled_from(["inference", "tool_call", "dataset_refresh"]))
def test_no_generated_event_meets_what_is_called_impossible(data: st.DataObject, record_type: str) -> None:
    expression = data.draw(strategies.expressions(record_type))
    event = data.draw(strategies.EVENTS[record_type])
    try:
        check_bounds(record_type, event)
    except OutOfBounds:
        return
    holds = closure(expression, record_type)(event)
    for condition, answer in ((expression, holds), (Expression.of(tree.Not(expression.tree)), holds is False)):
        if answer is True:
            assert contradiction(condition, record_type) is None
    assert holds is True or not certain(expression, record_type)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tool = 'run' AND arguments.hash <> 'x'", ("arguments.hash",)),
        ("arguments.to NOT IN ('a', 'b')", ("arguments.to",)),
        ("resource NOT LIKE 'a%'", ("resource",)),
        ("NOT (trace_id = 'a' AND arguments.x > 1)", ("trace_id", "arguments.x")),
        ("attributes.region <> 'test'", ("attributes.region",)),
        ("NOT contains(resource, 'a')", ("resource",)),
        # Required fields have a value; what asks whether there is one has thought of it.
        ("tool <> 'a' AND decision NOT IN ('denied')", ()),
        ("resource <> 'a' OR resource IS NULL", ()),
        ("resource IS NOT NULL AND resource <> 'a'", ()),
        ("(arguments.to = 'a') IS NOT TRUE", ()),
        ("coalesce(arguments.to, '') <> 'a'", ()),
        # Bounds deny nothing.
        ("arguments.amount > 1000", ()),
        ("NOT (NOT (resource = 'a'))", ()),
    ],
)
def test_what_null_slips_past_is_named(text: str, names: tuple[str, ...]) -> None:
    assert passing(Expression.parse(text), "tool_call") == names


@pytest.mark.parametrize(
    ("text", "is_certain"),
    [
        ("TRUE", True),
        ("confidence IS NULL OR confidence IS NOT NULL", True),
        ("tool = 'a' OR tool <> 'a'", True),
        ("decision IN ('allowed', 'denied', 'escalated')", True),
        ("confidence >= 0", False),
        ("arguments.a = 1 OR arguments.a <> 1", False),
        ("tool <> ''", False),
    ],
)
def test_what_every_event_meets_is_told(text: str, is_certain: bool) -> None:
    assert certain(Expression.parse(text), "tool_call") is is_certain


def test_of_a_condition_of_many_ways_some_are_looked_at() -> None:
    many = " AND ".join(f"(tool <> 'a{n}' OR resource <> 'b{n}')" for n in range(200))
    assert contradiction(Expression.parse(many), "tool_call") is None
    assert contradiction(Expression.parse(f"{many} AND version = '1' AND version = '2'"), "tool_call") is not None
    either = " OR ".join(f"tool = 'a{n}'" for n in range(200))
    assert contradiction(Expression.parse(f"({either}) AND confidence > 1"), "tool_call") is not None
    listed = " AND ".join(f"tool <> 'a{n}'" for n in range(450))
    assert contradiction(Expression.parse(listed), "tool_call") is None
    assert contradiction(Expression.parse(f"{listed} AND tool = 'a7'"), "tool_call") is not None
