"""Many decisions: one is found by its id without a search, and what none of them told is not made up."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sinks.store import Store
from tests.streams.stored import store_of_its_own

DECISIONS = 60_000
STRIDE = 7_919
ASKED = (
    "SELECT offset, subject FROM inference WHERE event_id = '{}' "
    "SETTINGS min_table_rows_to_use_projection_index = 0"  # as in a large table
)


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    with store_of_its_own(clickhouse) as url, Store(url) as store:
        third = DECISIONS // 3
        for first in range(0, DECISIONS, third):
            store.command(
                "INSERT INTO inference (event_id, system, event_time, subject, offset) SELECT "
                f"toString(number * {STRIDE} % {DECISIONS}), toString(number % 7), "
                f"toDateTime64(number * 37 % 1000, 6), concat('s', toString(number)), number "
                f"FROM numbers({first}, {third})"
            )
        yield store


def test_a_decision_is_read_by_its_place(store: Store) -> None:
    explained = store.text(f"EXPLAIN indexes = 1, projections = 1 {ASKED.format(STRIDE)}", "TSVRaw").decode()
    assert "Name: placed" in explained
    assert sum(map(int, re.findall(r"Rows: (\d+)", explained))) <= 3 * 256


def test_an_id_leads_to_its_own_row_also_after_merges_and_deletes(store: Store) -> None:
    for change in ("", "OPTIMIZE TABLE inference FINAL", "DELETE FROM inference WHERE offset % 5 = 1"):
        if change:
            store.command(change)
        left = {row["offset"] for row in store.rows("SELECT offset FROM inference")}
        for number in range(0, DECISIONS, 2_999):
            found = store.rows(ASKED.format(number * STRIDE % DECISIONS))
            assert [(row["offset"], row["subject"]) for row in found] == [(number, f"s{number}")] * (number in left)
    assert len(left) == DECISIONS * 4 // 5


def test_latencies_that_no_decision_told_are_absent(store: Store) -> None:
    row = "latency_p50_ms AS p50, latency_p95_ms AS p95, latency_p99_ms AS p99, brier"
    (told,) = store.rows(f"SELECT DISTINCT {row} FROM five_signals WHERE day = '1970-01-01'")
    assert set(told.values()) == {None}
