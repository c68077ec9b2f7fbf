"""The three targets give the same TRUE, FALSE or NULL for generated expressions over generated events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from seamwatch.columnar.columns import frame_of
from seamwatch.columnar.expressions import argument_columns, odd_expression, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.closure import ODD, Row, closure, row_closure
from seamwatch.expressions.sql import clickhouse, clickhouse_odd
from tests.expressions.strategies import EVENTS, expressions

TABLES = Path(__file__).parents[2] / "sinks" / "store" / "migrations" / "0001_record.sql"
TIMES = ("event_time", "data_as_of")


class Engine(Protocol):
    """A ClickHouse engine in this process."""

    def query(self, sql: str, form: str = ...) -> Any: ...


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine, with the tables of the record as they are shipped."""
    import chdb.session

    sessions: Any = chdb.session
    session = sessions.Session(str(tmp_path_factory.mktemp("engine")))
    for record_type in EVENTS:
        create = re.search(rf"CREATE TABLE IF NOT EXISTS {record_type}\n\(.*?;", TABLES.read_text(), re.DOTALL)
        assert create is not None
        session.query(create.group())
    yield session
    session.close()


def by_closure(
    chosen: Sequence[Expression], record_type: str, events: Sequence[dict[str, Any]]
) -> list[list[bool | None]]:
    return [[closure(e, record_type)(event) for event in events] for e in chosen]


def by_polars(
    chosen: Sequence[Expression], record_type: str, events: Sequence[dict[str, Any]], *, extracted: bool
) -> list[Any]:
    frame = frame_of(record_type, events)
    if extracted:
        frame = frame.with_columns(argument_columns([(e, "boolean") for e in chosen], record_type))
    compiled = [polars_expression(e, record_type, extracted=extracted).alias(str(i)) for i, e in enumerate(chosen)]
    result = frame.with_columns(compiled)
    assert all(result[str(i)].dtype == pl.Boolean for i in range(len(chosen)))
    return [result[str(i)].to_list() for i in range(len(chosen))]


def odd_by_closure(
    chosen: Sequence[Expression], record_type: str, events: Sequence[dict[str, Any]]
) -> list[list[bool]]:
    return [[row_closure(e, record_type)(Row(event)) is ODD for event in events] for e in chosen]


def odd_by_polars(chosen: Sequence[Expression], record_type: str, events: Sequence[dict[str, Any]]) -> list[Any]:
    frame = frame_of(record_type, events)
    never = pl.repeat(value=False, n=pl.len())
    each = [odd_expression(e, record_type) for e in chosen]
    result = frame.with_columns((never if e is None else e).alias(str(i)) for i, e in enumerate(each))
    return [result[str(i)].to_list() for i in range(len(chosen))]


def by_clickhouse(
    engine: Engine,
    chosen: Sequence[Expression],
    record_type: str,
    events: Sequence[dict[str, Any]],
    compiled: Callable[[Expression, str], str] = clickhouse,
) -> list[Any]:
    engine.query(f"TRUNCATE TABLE {record_type}")
    rows = "\n".join(json.dumps(stored(event) | {"offset": i}) for i, event in enumerate(events))
    engine.query(f"INSERT INTO {record_type} FORMAT JSONEachRow {rows}")
    columns = ", ".join(f"toInt8({compiled(e, record_type)})" for e in chosen)
    answer = engine.query(f"SELECT [{columns}] FROM {record_type} ORDER BY offset", "JSONCompactEachRow")
    table = [json.loads(line)[0] for line in str(answer).splitlines()]
    return [[None if row[i] is None else bool(row[i]) for row in table] for i in range(len(chosen))]


def stored(event: dict[str, Any]) -> dict[str, Any]:
    """An event as the store takes it: times as text."""
    times = {name: event[name] for name in TIMES if event.get(name) is not None}
    return event | {
        name: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")
        for name, micros in times.items()
    }


@pytest.mark.parametrize("record_type", sorted(EVENTS))
@settings(
    max_examples=10,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@given(data=st.data())
def test_closure_polars_and_clickhouse_agree(engine: Engine, record_type: str, data: st.DataObject) -> None:
    events = data.draw(st.lists(EVENTS[record_type], min_size=1, max_size=12), label="events")
    chosen = data.draw(st.lists(expressions(record_type), min_size=1, max_size=20), label="expressions")
    expected = by_closure(chosen, record_type, events)
    assert by_polars(chosen, record_type, events, extracted=True) == expected
    assert by_polars(chosen, record_type, events, extracted=False) == expected
    assert by_clickhouse(engine, chosen, record_type, events) == expected
    odd = odd_by_closure(chosen, record_type, events)
    assert odd_by_polars(chosen, record_type, events) == odd
    by_store = by_clickhouse(engine, chosen, record_type, events, clickhouse_odd)
    assert [[found is True for found in row] for row in by_store] == odd


@pytest.mark.parametrize("record_type", sorted(EVENTS))
@settings(max_examples=75, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_canonical_text_parses_to_the_same_tree(record_type: str, data: st.DataObject) -> None:
    expression = data.draw(expressions(record_type, depth=4))
    again = Expression.parse(expression.text)
    assert again.tree == expression.tree
    assert again == expression
    again.check(record_type)
