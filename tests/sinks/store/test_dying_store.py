"""A store that dies in the middle of an answer: the error is ours whatever was asked, and the next one is answered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest

from seamwatch.errors import UnreachableError
from sinks.store.client import Store
from sinks.store.refusals import StoreRefusedError
from tests.sinks.estate import Proxy

ROWS = 40_000
# Small blocks, so that an answer has many: the driver reads the first one, and the others as they are asked for.
BLOCKS = "SETTINGS max_block_size = 500"
LONG = f"SELECT number, repeat('text', 20) AS text FROM numbers({ROWS}) {BLOCKS}"
FAILING = f"SELECT number, repeat('text', 20) AS text, throwIf(number = {ROWS - 1}) FROM numbers({ROWS}) {BLOCKS}"

ASKING: dict[str, Callable[[Store, str], Any]] = {
    "rows": lambda store, sql: store.rows(sql),
    "frame": lambda store, sql: store.frame(sql),
    "frames": lambda store, sql: list(store.frames(sql, 100)),
    "text": lambda store, sql: store.text(sql, "CSV"),
    "lines": lambda store, sql: list(store.lines(sql, "JSONEachRow")),
    "command": lambda store, sql: store.command(sql),
}
ASKING_NOTHING = {"close", "with_stand_ins", "as_its_user"}


@pytest.fixture
def proxy(clickhouse: str) -> Iterator[Proxy]:
    between = Proxy(clickhouse)
    yield between
    between.close()


def test_every_way_of_asking_is_tried_here() -> None:
    public = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert public == set(ASKING) | {"insert"} | ASKING_NOTHING


@pytest.mark.parametrize("asked", ASKING)
def test_an_answer_that_breaks_off_is_an_error_of_ours_and_never_a_shorter_answer(asked: str, proxy: Proxy) -> None:
    with Store(proxy.url) as store:
        for length in (0, 300_000):
            assert store.rows("SELECT 1 AS one") == [{"one": 1}]
            proxy.longest_answers = length
            with pytest.raises(UnreachableError, match=f"the store at {store.address} "):
                ASKING[asked](store, LONG)
            proxy.longest_answers = None


def test_a_store_that_dies_while_it_takes_rows_is_an_error_of_ours(proxy: Proxy) -> None:
    with Store(proxy.url) as store:
        assert store.rows("SELECT 1 AS one") == [{"one": 1}]
        proxy.longest_answers = 0
        with pytest.raises(UnreachableError):
            store.insert("seamwatch.none", pl.DataFrame({"number": [1]}), "token")


@pytest.mark.parametrize("asked", ASKING)
def test_what_the_store_says_in_the_middle_of_an_answer_is_told_with_its_code(asked: str, clickhouse: str) -> None:
    with Store(clickhouse) as store:
        with pytest.raises(StoreRefusedError, match="Value passed to 'throwIf'") as refused:
            ASKING[asked](store, FAILING)
        assert refused.value.code == 395
        assert store.rows("SELECT 1 AS one") == [{"one": 1}]
