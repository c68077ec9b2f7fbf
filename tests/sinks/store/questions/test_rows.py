"""Rows: what the store answers as frozen values, and back as records for JSON; conditions with parameters beside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from seamwatch.instants import parse_instant
from sinks.store.client import Store
from sinks.store.questions.rows import Micros, Where, columns, count, record, rows


@dataclass(frozen=True, slots=True)
class Seen:
    """A row with a value of every form."""

    system: str
    at: Micros
    until: Micros | None
    limit: float | None
    names: tuple[str, ...]
    day: date
    events: int
    raw: bytes


class Answering:
    """A store that answers with one row, and keeps what it was asked."""

    def __init__(self, **row: Any) -> None:
        self.row = row
        self.asked: list[tuple[str, Any]] = []

    def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        self.asked.append((sql, parameters))
        return [self.row]


@pytest.mark.parametrize(
    "moment", ["2026-11-28T21:00:00.999999Z", "1969-12-31T23:59:59.5Z", "2261-12-31T00:00:00.000001Z"]
)
def test_a_row_comes_as_micros_and_goes_as_rfc_3339(moment: str) -> None:
    micros = parse_instant(moment)
    at = datetime.fromisoformat(moment).astimezone(UTC)
    day = date(2026, 11, 28)
    store = Answering(system="s", at=at, until=None, limit=0.5, names=["a", "b"], day=day, events=5, raw=b"\xffx")
    (row,) = rows(cast("Store", store), Seen, "SELECT", {"a": "b"})
    assert row == Seen("s", micros, None, 0.5, ("a", "b"), day, 5, b"\xffx")
    assert store.asked == [("SELECT", {"a": "b"})]
    told = record(row)
    assert list(told) == ["system", "at", "until", "limit", "names", "day", "events", "raw"]
    assert parse_instant(told.pop("at")) == micros
    assert told == {
        "system": "s", "until": None, "limit": 0.5, "names": ["a", "b"], "day": "2026-11-28", "events": 5,
        "raw": "\N{REPLACEMENT CHARACTER}x",
    }  # fmt: skip


def test_columns_are_the_fields() -> None:
    assert columns(Seen) == "`system`, `at`, `until`, `limit`, `names`, `day`, `events`, `raw`"


def test_one_number() -> None:
    assert count(cast("Store", Answering(found=7)), "SELECT count() AS found") == 7


def test_conditions_name_parameters_and_hold_no_value() -> None:
    where = Where()
    assert str(where) == ""
    where.equal(system="'; DROP TABLE hold", person=None)
    where.since("opened_at", 5)
    where.until("opened_at", None)
    where.add("waiting")
    assert str(where) == (
        "WHERE system = {system:String} AND opened_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND waiting"
    )
    assert where.values == {"system": "'; DROP TABLE hold", "since": "5"}
