"""The retry policy: its table is ClickHouse's own, documented, and everything outside of it is raised at once."""

from __future__ import annotations

import gc
import re
import threading
import weakref
from pathlib import Path

import pytest

from seamwatch.errors import UnreachableError
from sinks.store.client import Store
from sinks.store.refusals import StoreRefusedError
from sinks.store.retries import TRANSIENT_CODES, Patience, is_transient, until_it_works

DOCS = Path(__file__).parents[3] / "docs" / "store.md"


def test_every_code_has_clickhouses_own_name(clickhouse: str) -> None:
    codes = ", ".join(map(str, TRANSIENT_CODES))
    with Store(clickhouse, database="default") as store:
        named = store.rows(f"SELECT code, errorCodeToName(code) AS name FROM (SELECT arrayJoin([{codes}]) AS code)")
    assert {row["code"]: row["name"] for row in named} == TRANSIENT_CODES


def test_the_docs_have_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {int(code): name for code, name in rows} == TRANSIENT_CODES


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_a_code_of_the_table_is_tried_again(code: int) -> None:
    errors: list[BaseException] = [StoreRefusedError("refused", code), UnreachableError("away")]
    seen: list[BaseException] = []

    def action() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    assert until_it_works(threading.Event(), longest=0.01, failed=seen.append)(action) == "done"
    assert len(seen) == 2


@pytest.mark.parametrize("code", [None, 16, 27, 53, 60, 117, 497, 516, 123456])
def test_any_other_code_is_raised_at_once(code: int | None) -> None:
    error = StoreRefusedError("refused", code)
    calls: list[int] = []

    def action() -> None:
        calls.append(1)
        raise error

    assert not is_transient(error)
    with pytest.raises(StoreRefusedError):
        until_it_works(threading.Event())(action)
    assert calls == [1]
    with pytest.raises(StoreRefusedError):
        Patience().have(error)


def test_patience_waits_before_the_next_try_and_longer_each_time() -> None:
    patience = Patience()
    assert patience.is_over
    patience.have(UnreachableError("away"))
    assert not patience.is_over


def test_what_a_failed_try_was_sending_is_let_go_of_at_once() -> None:
    class Body:
        pass

    held: list[weakref.ref[Body]] = []

    def send() -> str:
        body = Body()
        held.append(weakref.ref(body))
        if len(held) == 4:
            return "done"
        # The frame has the error, and the error the frame: only the collector would free them.
        error = UnreachableError("away")
        raise error

    gc.disable()
    try:
        assert until_it_works(threading.Event(), longest=0.01)(send) == "done"
        assert [ref() for ref in held] == [None] * 4
    finally:
        gc.enable()


def test_a_store_that_is_away_is_told_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with Store("http://writer:secret@127.0.0.1:9/x") as store, pytest.raises(UnreachableError) as caught:
        store.command("SELECT 1")
    told = "the store at http://127.0.0.1:9/x cannot be reached: Connection refused; is it running?"
    assert str(caught.value) == told
    assert not [record for record in caplog.records if record.name.startswith("clickhouse_connect")]
