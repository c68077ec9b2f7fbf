"""Approved scores, counted by the store and from events: the same histograms, whatever is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from seamwatch.instants import format_instant, parse_instant
from seamwatch.statistics.histograms import Counted, Reference
from sinks.store.questions.reference import references_of as counted_by_store
from streams.replay.reference import references_of as counted_from_events
from tests.clauses.history import record_of
from tests.sinks.estate import Estate, estate

START = parse_instant("2026-03-02T22:30:00Z")


@pytest.fixture(scope="module")
def home(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


def events() -> list[dict[str, Any]]:
    """Four hours over midnight: repeated events, equal scores, no scores, scores beyond the range, other systems."""
    rng = np.random.default_rng(1)
    made = []
    for number in range(4_000):
        score = round(float(rng.normal(0.5, 0.3)), 1 if number % 3 else 6)
        made.append(
            {
                "type": "inference",
                "event_id": f"e{number}",
                "event_time": START + int(rng.integers(4 * 3_600_000_000)),
                "system": "other" if number % 50 == 0 else "it's \\scorer",
                "version": "v'1" if number % 2 else "v2",
                "use_case": "loan",
                "subject": "s",
                "score": None if number % 40 == 0 else score,
                "latency_ms": float(number % 7),
                "cohort": (None, "a", "b")[number % 3],
            }
        )
    return [*made, *made[:500]]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"by": "cohort", "bins": 7, "range": [-0.5, 1.3]},
        {"version": "v'1", "window": "5m", "distinct": True},
        {"where": "latency_ms > 3 OR cohort = 'a'"},
        {"system": "nobody"},
    ],
)
def test_the_store_counts_as_measure_does(home: Estate, more: dict[str, Any]) -> None:
    many = events()
    with home.store() as store:
        if not store.rows("SELECT 1 FROM inference LIMIT 1"):
            columns = [key for key in many[0] if key != "type"]
            rows = ", ".join("(" + ", ".join(_literal(event[key]) for key in columns) + ")" for event in many)
            store.command(f"INSERT INTO inference ({', '.join(columns)}) VALUES {rows}")
        period = {"from": format_instant(START + 90_000_000), "to": format_instant(START + 3 * 3_600_000_000)}
        counted = Counted.model_validate({"system": "it's \\scorer", **period, **more})
        by_store = counted_by_store(store, counted)
    from_events = counted_from_events(counted, [record_of(event) for event in many])
    assert {name: _rounded(known) for name, known in by_store.items()} == {
        name: _rounded(known) for name, known in from_events.items()
    }
    assert bool(by_store) == (more.get("system") != "nobody")


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return f"fromUnixTimestamp64Micro({value}, 'UTC')"
    return repr(value) if isinstance(value, float) else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _rounded(known: Reference) -> tuple[Any, ...]:
    absence = () if known.absence is None else _rounded(known.absence)
    return known.hours, known.windows, [round(square, 6) for square in known.squares], absence
