"""The commands for the life of the data, as a person and a timer type them, against a store."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.app import main
from seamwatch.clock import SystemClock
from seamwatch.durations import DAY
from seamwatch.errors import StoreError
from seamwatch.sdk.sealer import Seal
from seamwatch.sdk.subject_keys import SubjectKeyFile
from seamwatch.testing import RecordingEmitter
from seamwatch.wire.topics import Topics
from sinks.ledger.format.keys import make_keys, read_signer
from sinks.store.client import Store
from tests.databases import migrated
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, encoded

DOCS = Path(__file__).parents[2] / "docs" / "store.md"
Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def store(clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with a month of inferences that is two years old and one that is not, and the environment to ask it."""
    name = f"l_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    make_keys(tmp_path / "ledger.key", "ledger.example.org")
    for variable, value in {
        "CLICKHOUSE_URL": url,
        "SEAMWATCH_PREFIX": "t",
        "SEAMWATCH_DATA": str(tmp_path),
        "SEAMWATCH_LEDGER_KEY": str(tmp_path / "ledger.key"),
        "SEAMWATCH_RETENTION": '{"inference": "400d", "*": "730d"}',
    }.items():
        monkeypatch.setenv(variable, value)
    with Store(url) as store:
        book = Book(store, Topics("t"), read_signer(tmp_path / "ledger.key"))
        for then in (SystemClock().now() - 800 * DAY, SystemClock().now()):
            values: list[bytes | None] = [encoded(number=i, event_time=then) for i in range(5)]
            book.record(values, millis=then // 1000)
        yield store
        store.command(f"DROP DATABASE {name}")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return run


def _refuse(_store: Store, sql: str) -> None:
    raise StoreError(f"no longer there: {sql}")


def test_a_hold_keeps_what_the_timer_would_drop_until_it_is_lifted(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as unset:
        unset.setenv("SEAMWATCH_LEDGER_KEY", str(tmp_path / "no-key"))
        assert run("store", "retain") == (2, [])
        unset.delenv("SEAMWATCH_RETENTION")
        assert run("store", "retain", "--dry-run") == (2, [])
    line = re.search(r"^17 4 \* \* \* .*?&& (seamwatch store retain .*?) >>", DOCS.read_text("utf-8"), re.MULTILINE)
    assert line is not None
    _, *timer = shlex.split(line[1])
    code, (hold,) = run("store", "hold", "add", "--by", "ada", "--reason", "case 17", "--system", "credit-1", "--json")
    assert (code, hold["table"], hold["system"]) == (0, "every", "credit-1")
    assert run("store", "hold", "list", "--json")[1] == [hold]
    code, (said,) = run(*timer)
    assert (code, said["rows"], said["outcome"]) == (0, 5, f"held by {hold['hold_id']}: case 17")
    assert run("store", "hold", "lift", "no-such-hold", "--by", "ada", "--reason", "x")[0] == 2
    assert run("store", "hold", "lift", hold["hold_id"], "--by", "ada", "--reason", "settled")[0] == 0
    assert run("store", "hold", "list", "--json") == (0, [])
    assert [said["outcome"] for said in run("store", "retain", "--dry-run", "--json")[1]] == ["would be dropped"]
    change = "ALTER TABLE inference UPDATE raw = {} WHERE offset = 1 SETTINGS mutations_sync = 2"
    store.command(change.format("concat(raw, 'x')"))
    code, (said,) = run(*timer)
    assert (code, said["outcome"].startswith("not dropped: t.inference[0]: the rows [0, 10)")) == (1, True)
    store.command(change.format("substring(raw, 1, length(raw) - 1)"))
    # Broken off between the note and the drop, the rows count as there, and the next run drops them by the same note.
    with monkeypatch.context() as broken:
        broken.setattr(Store, "command", _refuse)
        assert run(*timer)[0] == 1
    assert store.rows("SELECT count() AS notes FROM retention") == [{"notes": 1}]
    code, (report,) = run("verify", "--json")
    assert (code, report["rows"], report["findings"]) == (0, 10, [])
    assert [said["outcome"] for said in run(*timer)[1]] == ["dropped"]
    assert run(*timer) == (0, [])
    left = store.rows("SELECT count() AS rows, min(broker_time) > now() - INTERVAL 1 DAY AS recent FROM inference")
    assert left == [{"rows": 5, "recent": True}]
    (row,) = store.rows("SELECT person, reason, count FROM retention")
    assert row == {"person": "retention@example.org", "reason": "retention of inference is 400d", "count": 5}
    # Whoever verifies accepts what was signed for, and nothing else.
    code, (report,) = run("verify", "--json")
    assert (code, report["rows"], report["findings"]) == (0, 5, [])
    store.command("ALTER TABLE inference DELETE WHERE offset = 7 SETTINGS mutations_sync = 2")
    store.command(
        "INSERT INTO ledger_dropped SELECT * REPLACE ([7] AS offsets, [7] AS indexes, 5 AS first_offset, "
        "10 AS next_offset) FROM ledger_dropped"
    )
    code, (report,) = run("verify", "--json")
    assert (code, [finding["what"] for finding in report["findings"]]) == (1, ["retention"])
    store.command("ALTER TABLE ledger_dropped DELETE WHERE first_offset = 5 SETTINGS mutations_sync = 2")
    store.command(
        "ALTER TABLE retention UPDATE note = replace(note, 'leaves 5', 'leaves 6') WHERE 1 SETTINGS mutations_sync = 2"
    )
    code, (report,) = run("verify", "--json")
    assert (code, {finding["what"] for finding in report["findings"]}) == (1, {"retention", "missing"})


def test_a_persons_key_is_destroyed_and_the_tree_still_verifies(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = SubjectKeyFile(tmp_path / "subject-keys")
    emitter = RecordingEmitter(seal=Seal(keys, attributes=("email",), arguments=("iban",)))
    emitter.inference(system="s", version="1", subject="p-81", attributes={"email": "ada@example.org", "branch": "7"})
    emitter.tool_call(system="s", version="1", tool="pay", arguments={"iban": "XX00"}, attributes={"subject": "p-81"})
    book = Book(store, Topics("t"), read_signer(tmp_path / "ledger.key"))
    for record_type, record in emitter.records:
        book.record([CODEC.encode(record_type, record)], topic=record_type, partition=7)
    decision, call = (record["event_id"] for _, record in emitter.records)

    def why(event_id: str, told: str) -> dict[str, str]:
        (answer,) = run("why", event_id, "--json")[1]
        found: dict[str, str] = answer[told]
        return found

    assert why(decision, "attributes") == {"email": "(sealed)", "branch": "7"}
    monkeypatch.setenv("SEAMWATCH_SUBJECT_KEYS", str(tmp_path / "subject-keys"))
    assert why(decision, "attributes") == {"email": "ada@example.org", "branch": "7"}
    assert why(call, "arguments") == {"iban": '"XX00"'}
    code, (erased,) = run("erase", "p-81", "--by", "ada", "--json")
    assert (code, erased["person"], erased["recorded_at"]) == (3, "ada", None)  # there is no broker to tell
    assert [run("erase", "p-81", "--by", "ada")[0], run("erase", "--key-id", erased["key_id"])[0]] == [1, 1]
    assert [run("erase")[0], run("erase", "--key-id", "x")[0]] == [2, 2]
    assert run("erase", "--key-id", keys.key_of("p-82").key_id.hex(), "--by", "ada")[0] == 3
    assert erased in run("erase", "--list", "--json")[1]
    assert why(decision, "attributes") == {"email": "(erased)", "branch": "7"}
    assert why(call, "arguments") == {"iban": "(erased)"}
    held = store.text("SELECT raw, attributes FROM inference", "TSVRaw") + store.text("SELECT * FROM tool_call", "TSV")
    assert not {text for text in (b"ada@example.org", b"XX00") if text in held}
    code, (report,) = run("verify", "--key", str(tmp_path / "ledger.key.pub"), "--json")
    assert (code, report["findings"]) == (0, [])
