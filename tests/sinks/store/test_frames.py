"""Answers in frames: the same rows as in one, exact to the byte, whether or not the user may ask for dictionaries."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from sinks.store import client as stores
from sinks.store.client import Store
from sinks.store.refusals import StoreRefusedError

FEW = "toLowCardinality(if(number % 5 = 0, NULL, unhex(if(number % 2 = 0, 'FF00', '61'))))"
ASKED = (
    f"SELECT number, {FEW} AS few, toLowCardinality(toString(number % 7)) AS digits, "
    "toLowCardinality(char(255)) AS same, toLowCardinality(NULL::Nullable(String)) AS none, "
    "toString(number) AS text, unhex('C328') AS broken, NULL AS nothing, "
    "[(text, NULL)]::Array(Tuple(key String, value Nullable(String))) AS pairs FROM numbers(140000)"
)


@pytest.fixture
def store(clickhouse: str) -> Iterator[Store]:
    with Store(clickhouse) as opened:
        yield opened


def test_frames_are_the_answer_in_parts_and_dictionaries_do_not_show(store: Store) -> None:
    frames = list(store.frames(ASKED, 15_000))
    whole = store.frame(ASKED, exact_bytes=True)
    assert len(frames) > 1
    assert pl.concat(frames).sort("number").equals(whole.sort("number"))
    assert pl.concat(frames).schema == whole.schema
    assert set(whole["few"]) == {None, b"a", b"\xff\x00"}
    assert list(store.frames(f"SELECT * FROM ({ASKED}) WHERE number < 0", 10)) == []


def test_who_may_not_ask_for_dictionaries_gets_the_rows_without(
    auditor_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_DICTIONARIES", {"max_insert_threads": "1"})  # which no auditor may set
    with Store(auditor_url) as store:
        for _ in range(2):
            (frame,) = store.frames("SELECT toLowCardinality('a') AS few", 10)
            assert frame["few"].to_list() == [b"a"]
        with pytest.raises(StoreRefusedError, match="UNKNOWN_TABLE"):
            list(store.frames("SELECT 1 FROM no_such_table", 10))
