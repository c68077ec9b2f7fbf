"""Expressions that differ by their numbers alone are parsed and looked up once, and nobody can tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.errors import ExpressionError
from seamwatch.expressions import Expression, build
from seamwatch.expressions.parsing import parse_tree
from seamwatch.expressions.shapes import apart, numbers_of, shape_of
from seamwatch.expressions.tree import Node, canonical
from tests.expressions.strategies import expressions

ODD = (
    "score > 0.5", "score > -0.5", "score > - 0.5", "score >= .5", "score > 1.", "score > 1e3", "score < 5e-324",
    "score BETWEEN 0.1 AND 0.9", "score BETWEEN -1 AND 1", "NOT (score = 0)", "score = -0", "score = 00.50",
    "latency_ms < 300 AND latency_ms >= 3.00", "decision = '5' AND score > 5", "arguments.a1 = 12", "a = 1 or b2 < 2",
    'arguments."7 of 9" > 7', "score IN (1, 2, 3) OR score > 1", "round(score) = 1", "1 < score", "score - 1 > 2 * 3",
    "score > 9000000000000001", "score > 90071992547409", "score > 12345678901234567890", "score > 5abc",
    "event_time > '2026-01-02'", "abs(score - 0.25) <= 0.125", "score > 1 AND score > 1", "score > 1_000",
    "score > 0x1F", "score > 3 AND score < 9.000000000000005e15", "score < 9e15 OR score > 1",
    "score > 1 AND score <> 9e15", "score IN (9000000000000000, 4) AND score > 2",
    "score > 2 OR 9000000000000001 < score", "score > 90000000000000.01e2",
)  # fmt: skip


def outcome(text: str) -> Node | str:
    try:
        return parse_tree(text)
    except ExpressionError as error:
        return str(error)


def by_shape(text: str) -> Node | str:
    try:
        return Expression.parse(text).tree
    except ExpressionError as error:
        return str(error)


@pytest.mark.parametrize("text", ODD)
def test_a_text_says_what_the_grammar_alone_finds_in_it(text: str) -> None:
    assert by_shape(text) == outcome(text)
    tree = outcome(text)
    if not isinstance(tree, str):
        assert Expression.parse(text).text == canonical(tree)
        assert Expression.parse(text) == Expression.of(tree)
        assert Expression.parse(text).source == text


@given(st.sampled_from(["inference", "tool_call"]).flatmap(expressions))
def test_any_expression_says_what_the_grammar_alone_finds_in_it(expression: Expression) -> None:
    again = Expression.parse(expression.text)
    assert again.tree == parse_tree(expression.text)
    assert again.text == canonical(again.tree)
    assert again.fields == Expression.of(again.tree).fields


@given(st.sampled_from(["inference", "tool_call"]).flatmap(expressions))
def test_what_stands_apart_is_put_back_where_it_was(expression: Expression) -> None:
    shape, numbers = apart(expression.tree)
    assert shape.with_literals(numbers) == expression.tree
    assert shape.text(numbers) == expression.text


@pytest.mark.parametrize("text", [text for text in ODD if "9000000000000" in text or "9e15" in text])
def test_a_number_that_looks_as_a_stand_in_does_stays_itself_in_whatever_is_built_around_it(text: str) -> None:
    written = Expression.parse(text)
    for built in (
        build.all_of(build.above("score", 5), written),
        build.any_of(written, build.outside("score", 3, 9_000_000_000_000_000), build.below("score", 9e15 + 1)),
        build.not_true(build.all_of(written, build.equals("cohort", "one"), build.at_or_after("event_time", 7))),
    ):
        assert written.text in built.text
        assert parse_tree(built.text) == built.tree
        assert built.shape.with_literals(built.literals) == built.tree


def test_texts_of_one_shape_share_it() -> None:
    one, other = numbers_of("score > 0.25 AND latency_ms < 300"), numbers_of("score > 0.5 AND latency_ms < 7")
    assert one is not None
    assert other is not None
    assert one[0] == other[0]
    assert (one[1], other[1]) == ((0.25, 300.0), (0.5, 7.0))
    assert numbers_of("decision = '5'") is None


def test_what_is_wrong_is_said_of_what_was_written() -> None:
    with pytest.raises(ExpressionError, match=r"unknown field 'scor' of inference.*\(in 'scor > 0.25'\)"):
        Expression.parse("scor > 0.25").check("inference")
    with pytest.raises(ExpressionError, match=r"\(in 'score > 0.25 AND \?'\)"):
        Expression.parse("score > 0.25 AND ?")


def test_a_whole_number_that_is_exact_and_the_same_as_a_double_are_two() -> None:
    """Whichever is read first: what is kept by trees must not give one for the other, and each is compared its way."""
    double, exact = "row_count IN (9007199254740992.0, 1)", "row_count IN (9007199254740992, 1)"
    for order in ((double, exact), (exact, double)):
        shape_of.cache_clear()
        first, second = (Expression.parse(text) for text in order)
        assert (first.text, second.text) == order
        assert first != second
        assert first.shape is not second.shape
