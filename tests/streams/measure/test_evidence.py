"""Evidence by columns: the earliest rows of each group, and digests of arguments, as a plain loop has them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seamwatch.columnar.arguments import argument_column
from seamwatch.columnar.expressions import argument_columns
from seamwatch.judging.patterns.calls import matched
from streams.measure.evidence import digests, earliest_rows, evidence_of

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["5", "~", "null"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
texts = st.dictionaries(st.sampled_from(["a", "b", "~a", "c"]), values).map(json.dumps) | st.sampled_from(
    [
        "",
        "[1]",
        "{}",
        '{"a": 1',
        '{"a": "x", "a": "y"}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        '{"a": 1, "b": {"b": "é"}}',
    ]
)


@given(rows, st.integers(1, 6) | st.none(), st.randoms(use_true_random=False))
def test_each_group_shows_its_earliest_rows_in_order(found: list[tuple[int, int]], limit: int | None, mix: Any) -> None:
    names = [f"{number:02d}" for number in range(len(found))]
    mix.shuffle(names)
    ids, times = np.array([one[0] for one in found]), np.array([one[1] for one in found])
    events, everywhere = pl.Series(names), np.arange(len(found))
    places, groups = earliest_rows(ids, times, everywhere, events, limit)
    told = evidence_of(places, groups, times, events, None, None, lambda row: ("t", 0, row))
    expected = {
        group: sorted((time, name) for (of, time), name in zip(found, names, strict=True) if of == group)[:limit]
        for group in set(ids.tolist())
    }
    assert {group: [(e.event_time, e.event_id) for e in shown] for group, shown in told.items()} == expected
    assert all(names[e.offset or 0] == e.event_id for shown in told.values() for e in shown)


@settings(max_examples=200)
@example(['{"a": "1"}', '{"a": 1}', '{"a": 1.0}', '{"a": null}'], ["a"])
@given(st.lists(texts | st.none(), max_size=6), st.sampled_from([["a"], ["b"], ["a", "b"], ["b.b"], ["b.a", "a"]]))
def test_digests_read_by_column_are_those_read_one_by_one(found: list[str | None], names: list[str]) -> None:
    frame = pl.DataFrame({"arguments": pl.Series(found, dtype=pl.String)})
    frame = frame.with_columns(argument_columns([], "tool_call", names))
    read = [frame[argument_column(name) or ""].to_list() for name in names]
    assert digests(found, names, read, {}) == [matched(text, names) for text in found]
