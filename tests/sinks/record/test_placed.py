"""Many decisions: one is found by its id without a search, and what none of them told is not made up."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sinks.store.client import Store
from tests.streams.stored import store_of_its_own

ROWS = 60_000
STRIDE = 7_919
TABLES = ("inference", "tool_call")
ASKED = (
    "SELECT offset, event_time FROM {} WHERE event_id = '{}' "
    "SETTINGS min_table_rows_to_use_projection_index = 0"  # as in a large table
)


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    with store_of_its_own(clickhouse) as url, Store(url) as store:
        third = ROWS // 3
        for table in TABLES:
            for first in range(0, ROWS, third):
                store.command(
                    f"INSERT INTO {table} (event_id, system, event_time, offset) SELECT "
                    f"toString(number * {STRIDE} % {ROWS}), toString(number % 7), "
                    f"toDateTime64(number * 37 % 1000, 6), number FROM numbers({first}, {third})"
                )
        yield store


@pytest.mark.parametrize("table", TABLES)
def test_a_row_is_read_by_its_place(store: Store, table: str) -> None:
    explained = store.text(f"EXPLAIN indexes = 1, projections = 1 {ASKED.format(table, STRIDE)}", "TSVRaw").decode()
    assert "Name: placed" in explained
    assert sum(map(int, re.findall(r"Rows: (\d+)", explained))) <= 3 * 256


@pytest.mark.parametrize("table", TABLES)
def test_an_id_leads_to_its_own_row_also_after_merges_and_deletes(store: Store, table: str) -> None:
    for change in ("", "OPTIMIZE TABLE {} FINAL", "DELETE FROM {} WHERE offset % 5 = 1"):
        if change:
            store.command(change.format(table))
        left = {row["offset"] for row in store.rows(f"SELECT offset FROM {table}")}
        for number in range(0, ROWS, 2_999):
            found = store.rows(ASKED.format(table, number * STRIDE % ROWS))
            assert [(row["offset"], row["event_time"].timestamp()) for row in found] == [
                (number, number * 37 % 1000)
            ] * (number in left)
    assert len(left) == ROWS * 4 // 5


def test_latencies_that_no_decision_told_are_absent(store: Store) -> None:
    row = "latency_p50_ms AS p50, latency_p95_ms AS p95, latency_p99_ms AS p99, brier"
    (told,) = store.rows(f"SELECT DISTINCT {row} FROM five_signals WHERE day = '1970-01-01'")
    assert set(told.values()) == {None}
