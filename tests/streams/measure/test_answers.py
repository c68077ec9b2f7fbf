"""Answers by columns are those of one record at a time; what is unknown is counted by system and reason."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seamwatch.columnar.columns import frame_of
from seamwatch.columnar.expressions import argument_columns, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.closure import ODD, Row, row_closure
from seamwatch.expressions.tree import Name, walk
from seamwatch.judging.model.measure import SELECTED, Answer, Watch
from streams.measure.answers import Answers
from streams.measure.counting import Rows
from streams.measure.dedup import EveryId
from streams.measure.groups import coded
from streams.measure.likeness import Read
from streams.measure.program import Program
from tests.expressions.strategies import EVENTS, expressions

EACH: tuple[Answer, ...] = ("true", "false", "odd", "missing", "absent")
SETS = [frozenset(some) for size in range(6) for some in combinations(EACH, size)]


def answer(condition: Expression, record: dict[str, Any]) -> Answer:
    row = Row(record)
    value = row_closure(condition, "tool_call")(row)
    if value is ODD:
        return "odd"
    if value is None:
        asked = [
            name.path[1:] for name in walk(condition.tree) if isinstance(name, Name) and name.path[0] == "arguments"
        ]
        return "missing" if any(row.argument(path) is None for path in asked) else "absent"
    return "true" if value else "false"


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_answers_by_columns_are_those_of_each_record(data: st.DataObject) -> None:
    records = data.draw(st.lists(EVENTS["tool_call"], min_size=1, max_size=8))
    condition = data.draw(expressions("tool_call"))
    frame = frame_of("tool_call", records).lazy()
    frame = frame.with_columns(argument_columns([(condition, "boolean")], "tool_call"))
    read = frame.collect()
    computed = read.select(polars_expression(condition, "tool_call", extracted=True).alias("c"))
    asked = Read(condition)
    answers = Answers("tool_call", read, computed, {asked: "c"}, len(records))
    each = [answer(condition, record) for record in records]
    for some in SETS:
        found = answers.among(asked, some)
        wanted = [one in some for one in each]
        assert (found if isinstance(found, bool) else found.tolist()) == (
            wanted[0] if isinstance(found, bool) and len(set(wanted)) == 1 else wanted
        )


@settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_what_is_unknown_is_counted_by_system_and_reason(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(EVENTS["tool_call"], min_size=1, max_size=12))
    records = [{**r, "event_id": str(n), "system": f"s{n % 3}"} for n, r in enumerate(drawn)]
    condition, select = (data.draw(expressions("tool_call")) for _ in range(2))
    watches = [Watch("tool_call", condition), Watch("tool_call", condition, select)]
    frame = frame_of("tool_call", records)
    rows = Rows(frame, coded(frame["system"]), frame["event_time"].to_numpy(), None)
    _, unknowns = Program("tool_call", [], watches).run(rows, EveryId())
    found = {
        (one.watch, one.system, why): n for one in unknowns for why, n in (("odd", one.odd), ("absent", one.absent))
    }
    wanted: dict[tuple[int, str, str], int] = {}
    for record in records:
        why = answer(condition, record).replace("missing", "absent")
        for number in [0, 1] if answer(select, record) in SELECTED else [0]:
            if why in ("odd", "absent"):
                key = (number, record["system"], why)
                wanted[key] = wanted.get(key, 0) + 1
    assert {key: number for key, number in found.items() if number} == wanted


def test_a_label_says_why_what_offends_cannot_be_told() -> None:
    from seamwatch.judging.model.measure import Measure, label_of

    never = Expression.parse("tool = 'refund' AND arguments.amount > 1000")
    texts = ['{"amount": 5}', '{"amount": "5000"}', '{"amount": 5000}', "[1]", "{}"]
    records = [
        {"event_id": str(n), "event_time": n, "system": "s", "tool": "refund", "arguments": text, "trace_id": str(n)}
        for n, text in enumerate(texts)
    ]
    frame = pl.DataFrame(records)
    rows = Rows(frame, coded(frame["system"]), frame["event_time"].to_numpy(), None)
    offends: frozenset[Answer] = frozenset({"true", "odd", "missing"})
    measure = Measure("tool_call", never, 10, slice=("trace_id",), only_breaches=True, label="tool", offends=offends)
    statistics, _ = Program("tool_call", [measure]).run(rows, EveryId())
    told = {one.slice: label_of(one.numbers["evidence"][0].label) for one in statistics}
    assert told == {
        "1": ("refund", "arguments.amount is text, not a number"),
        "2": ("refund", ""),
        "3": ("refund", "its arguments are a list, and no JSON object"),
        "4": ("refund", "arguments.amount is absent"),
    }
