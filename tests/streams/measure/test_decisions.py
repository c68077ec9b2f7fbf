"""Decisions asked of a real store by their ids: whatever the ids look like, and how the store's errors are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import polars as pl
import pytest

from seamwatch.errors import StoreError, UnreachableError, UsageError
from sinks.store.client import Store
from streams.measure.decisions import LONGEST_ID, Decisions
from tests.sinks.estate import Proxy
from tests.streams.stored import record, store_of_its_own

NASTY = [
    "plain", "it's", 'say "so"', "back\\slash", "a,b]", "tab\there", "new\nline", "ünïcode ✓", "{ids}", "%s", "'; --",
    "null", "", " ", "\\N", "\\'", "a\\", "\x00", "\x1f", "€" * 300, *("'\\\n\x00" * 240 + str(n) for n in range(60)),
]  # fmt: skip


@pytest.fixture(scope="module")
def url(clickhouse: str) -> Iterator[str]:
    with store_of_its_own(clickhouse) as url:
        yield url


def told(frame: pl.DataFrame) -> set[Any]:
    return set(frame.select("event_id", "system", "score", "cohort", "version").iter_rows())


def test_whatever_an_id_looks_like_it_is_found_as_itself(url: str) -> None:
    record(url, *((key, "nasty", number / 100, None, "v1", number) for number, key in enumerate(NASTY)))
    decisions = Decisions(url)
    assert told(decisions.find(NASTY)) == {(key, "nasty", n / 100, None, "v1") for n, key in enumerate(NASTY)}
    for number, key in enumerate(NASTY):
        assert told(decisions.find([key])) == {(key, "nasty", number / 100, None, "v1")}, key
    decisions.close()


def test_of_a_repeated_id_the_first_that_arrived_and_each_systems_own(url: str) -> None:
    record(url, ("twice", "one", 0.2, "b", "v2", 20), ("twice", "two", None, None, "v3", 30))
    record(url, ("twice", "one", 0.1, "a", "v1", 10))
    found = Decisions(url).find(["twice", "not there"])
    assert told(found) == {("twice", "one", 0.1, "a", "v1"), ("twice", "two", None, None, "v3")}


def test_more_ids_than_one_question_holds(url: str) -> None:
    ids = [f"{'many' * 200}-{number:06d}" for number in range(200)]
    ids += [f"018f0000-0000-7000-8000-{number:012x}" for number in range(1_100)]
    record(url, *((key, "many", 0.5, None, "v1", 1) for key in ids[::5]))
    found = Decisions(url).find([*ids, "x" * (LONGEST_ID + 1), "€" * LONGEST_ID])
    assert sorted(found["event_id"]) == sorted(ids[::5])
    assert Decisions(url).find([]).is_empty()


def test_ids_are_looked_up_in_order_rather_than_searched_for(url: str) -> None:
    with Store(url) as store:
        store.command("INSERT INTO inference (event_id, system) SELECT toString(number), 'one' FROM numbers(100000)")
        asked = "EXPLAIN indexes = 1 SELECT event_id, score FROM inference WHERE event_id IN ('17', '19001')"
        explained = "\n".join(store.frame(asked)["explain"])
    assert "ReadFromMergeTree (placed)" in explained


def test_a_store_that_is_away_and_one_that_refuses_are_told_apart(clickhouse: str) -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9/x cannot be reached"):
        Decisions("http://u:p@127.0.0.1:9/x").find(["a"])
    empty = urlunsplit(urlsplit(clickhouse)._replace(path="/default"))
    with pytest.raises(StoreError, match=r"refused to tell decisions.*inference"):
        Decisions(empty).find(["a"])
    proxy = Proxy(empty)
    proxy.cut_answers = 100
    with pytest.raises(UnreachableError):
        Decisions(proxy.url).find(["a"])
    proxy.close()
    with pytest.raises(UsageError, match="CLICKHOUSE_URL"):
        Decisions("store.example.org:8123")
