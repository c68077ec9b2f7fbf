"""Expressions over frames: what the property test of all targets does not show."""

from __future__ import annotations

import polars as pl
import pytest

from seamwatch.columnar.expressions import argument_columns, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.build import always


@pytest.mark.parametrize(("text", "value"), [("TRUE", True), ("1 = 2", False), ("1 / 0 = 1", None)])
def test_a_constant_is_as_long_as_the_frame(text: str, value: bool | None) -> None:
    frame = pl.DataFrame({"score": [1.0, 2.0, 3.0]})
    column = frame.select(polars_expression(Expression.parse(text), "inference").alias("x"))["x"]
    assert column.to_list() == [value] * 3
    assert column.dtype == pl.Boolean
    assert frame.clear().select(polars_expression(always(), "inference").alias("x")).height == 0


def test_a_value_expression_gives_doubles() -> None:
    frame = pl.DataFrame({"event_time": [30], "data_as_of": [10]})
    lag = polars_expression(Expression.parse("event_time - data_as_of"), "inference", "number")
    assert frame.select(lag.alias("x"))["x"].to_list() == [20.0]


def test_what_is_inside_arguments_is_read_once_for_all_expressions() -> None:
    expressions = [
        Expression.parse("arguments.a.b < 3"),
        Expression.parse("arguments.a.b IS NULL OR arguments.c = 'x'"),
    ]
    columns = argument_columns([(e, "boolean") for e in expressions], "tool_call")
    assert [c.meta.output_name() for c in columns] == ["arguments.\x00twice", "arguments.a.b", "arguments.c"]


@pytest.mark.parametrize("text", ["'q' = arguments.a", "'q' < arguments.a", "(1 = 1) = (arguments.a IN ('q'))"])
def test_a_constant_on_the_left_of_nothing_but_nulls_is_as_long_as_the_frame(text: str) -> None:
    frame = pl.DataFrame({"arguments": ["{}"] * 7})
    assert frame.select(polars_expression(Expression.parse(text), "tool_call")).to_series().to_list() == [None] * 7
