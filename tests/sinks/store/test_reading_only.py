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
from sinks.ledger.format.notes import SignerKey
from sinks.store.client import Store
from sinks.store.refusals import StoreRefusedError
from tests import databases
from tests.console.test_names import commands

ROOT = Path(__file__).parents[3]
WRITERS = {
    "console/commands/store_retention.py": "_ready",  # drops and holds
    "console/commands/store_roles.py": "roles",
}
"""Where a command connects to the store to write, and in which function."""


@pytest.fixture(scope="module")
def migrated(clickhouse: str) -> Iterator[str]:
    """The URL of the writer of an empty store."""
    name = f"r_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    databases.migrated(url)
    yield url
    with Store(url, database="default") as store:
        store.command(f"DROP DATABASE {name}")


@pytest.fixture
def writer(migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a store's writer, the only one that the environment names."""
    monkeypatch.setenv("CLICKHOUSE_URL", migrated)
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    return migrated


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


READS: dict[str, list[str]] = {
    "inventory": [],
    "owner": ["s"],
    "why": ["e"],
    "decisions": ["--contract", "c"],
    "trail": ["t"],
    "drift": [],
    "signals": [],
    "burn": [],
    "violations": ["--before", "v"],
    "why-late": ["v-0123456789"],
    "approvals": [],
    "acknowledgements": ["--waiting"],
    "stale": [],
    "silences": [],
    "tiers": [],
    "unjudged": [],
    "readiness": [],
    "card": ["s"],
    "sql": ["SELECT 1"],
    "verify": ["--key", "{key}"],
    "checkpoints": ["--key", "{key}"],
    "evidence": ["--event", "e"],
    "doctor": [],
    "ack": ["v-0123456789", "--as", "p", "--wait", "0s"],
    "review": [
        "v-0123456789",
        "--as",
        "p",
        "--implied",
        "a",
        "--diverged",
        "b",
        "--cause",
        "c",
        "--wait",
        "0s",
    ],
    "followups": [],
    "rota": [],
    "incidents": [],
    "incident show": ["v-0123456789"],
    "incident declare": ["v-0123456789", "--as", "p", "--kind", "death", "--note", "n", "--wait", "0s"],
    "incident withdraw": ["v-0123456789", "--as", "p", "--reason", "n", "--wait", "0s"],
    "incident draft": ["v-0123456789", "--wait", "0s"],
    "incident report": ["v-0123456789", "--as", "p", "--receipt", "u", "--wait", "0s"],
    "gate": ["s", "--contracts", "{documents}"],
    "replay": ["--contracts", "{documents}", "--from-store"],
    "contracts reference": ["s", "--from", "2020-01-01", "--to", "2020-01-02"],
    "store retain": ["--dry-run"],
    "store hold list": [],
    # Whether the name is known is asked before anything is written.
    "store hold add": ["--by", "ada", "--reason", "case 17", "--system", "nobody"],
}
"""What is typed for each command that reads the store, or reads it before it does anything."""

AS_THE_USER = {"readiness"}
"""Commands that ask as well, without saying that they only read, what the user themselves may do."""

OTHER: dict[str, set[str]] = {
    "writes to it, as its writer": {"store migrate", "store roles", "store hold lift"},
    "runs stages, which write": {"up", "demo", "run"},
    "asks the data folder": {"board-link", "board-token"},
    "asks the broker first, and the store by `auditor`": {"withdraw", "drill"},
    "asks no store, or as `replay` does": {
        "emit", "cat", "attest", "announce", "cosign", "erase", "topics create", "spool list", "spool send",
        "contracts check", "contracts new", "contracts sign", "contracts verify", "contracts diff", "contracts import",
        "contracts export", "contracts publish", "keys new", "keys show", "keys ledger", "config digest",
        "config compare", "suspend", "resume", "silence",
    },
}  # fmt: skip
"""All other commands, and why they are not tried."""

DOCUMENTS = """\
kind: Person
id: p
name: P
---
kind: System
id: s
type: model
owner: p
"""


def test_every_command_that_reads_asks_as_the_auditor_and_read_only(
    writer: str,
    auditor_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(writer).path))
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "all.yaml").write_text(DOCUMENTS)
    (tmp_path / "key").write_text(str(SignerKey.make("ledger.example.org").verifier))
    monkeypatch.setenv("SEAMWATCH_AUDITOR_URL", asked)
    monkeypatch.setenv("SEAMWATCH_RETENTION", '{"inference": "400d"}')
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with Store(writer) as store:
        store.command("INSERT INTO inference (event_id, system, version, trace_id) VALUES ('e', 's', '1', 't')")
    requests = _recorded(monkeypatch)
    for command, typed in READS.items():
        requests.clear()
        named = [each.format(key=tmp_path / "key", documents=tmp_path / "documents") for each in typed]
        with pytest.raises(SystemExit):
            main([*command.split(), *named])
        said = capsys.readouterr()
        assert requests, (command, said)
        user = urlsplit(asked).username
        assert set(requests) == {(user, "1")} | ({(user, None)} if command in AS_THE_USER else set()), (command, said)


def _recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Who asks, and whether read-only, by each request to a store from now on."""
    requests: list[tuple[str, str | None]] = []
    call = Store._call

    def noting(store: Store, method: str, *arguments: Any, **options: Any) -> Any:
        if store._client is None:
            store._client = store._connect()
        client, sent = store._client, getattr(store._client, method)

        def sending(*given: Any, **named: Any) -> Any:
            requests.append((store.address.user, client.params.get("readonly")))
            return sent(*given, **named)

        with monkeypatch.context() as patch:
            patch.setattr(client, method, sending)
            return call(store, method, *arguments, **options)

    monkeypatch.setattr(Store, "_call", noting)
    return requests


def test_each_command_is_one_that_is_tried_or_does_not_read() -> None:
    every = {" ".join(path) for path, _ in commands()}
    assert every == set(READS).union(*OTHER.values())


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
