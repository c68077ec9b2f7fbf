"""What only reads asks read-only, whoever the user in its URL is."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.app import main
from console.asking import auditor
from seamwatch.errors import StoreError
from sinks.migrate import migrate
from sinks.store import Store, StoreRefusedError

ROOT = Path(__file__).parents[2]
WRITERS = {
    "console/commands/store_retention.py": "_ready",  # drops and holds
    "console/commands/store_roles.py": "roles",
}
"""Where a command connects to the store to write, and in which function."""


@pytest.fixture
def writer(clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a store's writer, the only one that the environment names."""
    name = f"r_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrate(url)
    monkeypatch.setenv("CLICKHOUSE_URL", url)
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    yield url
    with Store(url, database="default") as store:
        store.command(f"DROP DATABASE {name}")


def test_a_command_that_reads_cannot_write_with_the_writers_url(
    writer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for sql in (
        "INSERT INTO hold (hold_id) VALUES ('mine')",
        "ALTER TABLE hold DELETE WHERE 1",
        "DROP TABLE hold",
        "SELECT file('/etc/passwd')",
        "SELECT 1 INTO OUTFILE '/tmp/seamwatch-written.txt'",
    ):
        with pytest.raises(SystemExit) as ended:
            main(["sql", sql])
        assert ended.value.code == 1, sql
        assert "root:" not in capsys.readouterr().out
    assert not Path("/tmp/seamwatch-written.txt").exists()
    with Store(writer) as store:
        assert store.rows("SELECT count() AS n FROM hold") == [{"n": 0}]


def test_an_auditors_address_goes_before_the_writers(
    writer: str, auditor_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(writer).path))
    monkeypatch.setenv("SEAMWATCH_AUDITOR_URL", asked)
    with auditor(None) as store:
        assert store.address.user == urlsplit(asked).username
        assert store.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_reading_store_answers_in_every_form_and_takes_no_row(writer: str) -> None:
    import polars as pl

    with Store(writer, reading=True) as store:
        assert store.rows("SELECT {a:String} AS a", {"a": "x"}) == [{"a": "x"}]
        assert store.frame("SELECT 1 AS a").height == 1
        assert [frame.height for frame in store.frames("SELECT toLowCardinality('a') AS a", 10)] == [1]
        assert store.text("SELECT 1", "TSV") == b"1\n"
        with pytest.raises(StoreError):
            store.command("INSERT INTO hold (hold_id) VALUES ('mine')")
        with pytest.raises(StoreError):
            store.insert("hold", pl.DataFrame({"hold_id": ["mine"]}), "token")


def test_who_is_read_only_by_their_profile_is_asked_without_the_setting(
    writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str | None] = []
    with Store(writer, reading=True) as store:
        store.rows("SELECT 1")
        client = store._client
        query = client.query

        def refusing(*arguments: Any, **options: Any) -> Any:
            sent.append(client.params.get("readonly"))
            if "readonly" in client.params:
                raise _refusal()
            return query(*arguments, **options)

        monkeypatch.setattr(client, "query", refusing)
        assert store.rows("SELECT 2 AS two") == [{"two": 2}]
        assert store.rows("SELECT 3 AS three") == [{"three": 3}]
    assert sent == ["1", None, None]


def _refusal() -> Exception:
    from clickhouse_connect.driver.exceptions import DatabaseError

    return DatabaseError("Code: 164. DB::Exception: Cannot modify 'readonly' setting in readonly mode. (READONLY)")


def test_another_refusal_is_told(writer: str) -> None:
    with Store(writer, reading=True) as store, pytest.raises(StoreRefusedError, match="UNKNOWN_TABLE"):
        store.rows("SELECT * FROM no_such_table")


def test_no_command_that_only_reads_connects_as_one_who_writes() -> None:
    """Every `Store(...)` of a command says `reading=True`, but for those that are named here."""
    for file in sorted((ROOT / "console").rglob("*.py")):
        name = str(file.relative_to(ROOT))
        for function in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if isinstance(call.func, ast.Name) and call.func.id == "Store":
                    asks = any(keyword.arg == "reading" for keyword in call.keywords)
                    assert asks or WRITERS.get(name) == function.name, f"{name}: {function.name}"
