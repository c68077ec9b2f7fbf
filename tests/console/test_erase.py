"""`seamwatch erase` and the record that it leaves, with a broker and without."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seamwatch.instants import parse_instant
from seamwatch.sdk.sealer import Seal
from seamwatch.sdk.subject_keys import SubjectKeyFile
from seamwatch.testing import RecordingEmitter
from sinks.ledger.format.keys import make_keys, read_signer
from tests.console.test_store_life import Run, run  # noqa: F401 - a fixture
from tests.sinks.estate import Estate, estate, everything
from tests.sinks.ledger.book import Book
from tests.sinks.mixed import Mixed
from tests.sinks.samples import CODEC

SUBJECTS = ("p-81", "größe/ü 1", "系統-7 O'Brien", "p-82")
REASON = 'request 114, "as asked"\nby letter; größe 🙂'


@pytest.fixture
def here(kafka: str, clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """A broker and a store with a record of everything, which the environment names; the broker not yet."""
    with estate(kafka, clickhouse) as here:
        make_keys(tmp_path / "ledger.key", "ledger.example.org")
        for variable, value in {
            "CLICKHOUSE_URL": here.url,
            "SEAMWATCH_PREFIX": here.topics.prefix,
            "SEAMWATCH_DATA": str(tmp_path),
            "SEAMWATCH_SUBJECT_KEYS": str(tmp_path / "subject-keys"),
        }.items():
            monkeypatch.setenv(variable, value)
        yield here


def test_an_erasure_is_on_record_and_tells_what_is_erased_from_what_is_altered(
    here: Estate,
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "subject-keys"
    keys = SubjectKeyFile(file)
    emitter = RecordingEmitter(seal=Seal(keys, attributes=("email",), arguments=("iban",)))
    for subject in SUBJECTS:
        emitter.inference(system="s", version="1", subject=subject, attributes={"email": f"{subject}@example.org"})
        emitter.tool_call(system="a", version="2", tool="t", arguments={"iban": 7}, attributes={"subject": subject})
    with here.store() as store:
        book = Book(store, here.topics, read_signer(tmp_path / "ledger.key"))
        book.fill(Mixed(here.topics))
        for number, (record_type, record) in enumerate(emitter.records):
            book.record([CODEC.encode(record_type, record)], record_type, number % 3)
        events = [record["event_id"] for _, record in emitter.records]

        def told(number: int, **more: str) -> dict[str, Any]:
            for name, value in more.items():
                monkeypatch.setenv(name, value)
            (answer,) = run("why", events[number], "--json")[1]
            found: dict[str, Any] = answer
            return found

        # Without a broker the key is destroyed all the same, and its record waits.
        shutil.copy(file, tmp_path / "backup")
        ids = [keys.key_of(subject).key_id.hex() for subject in SUBJECTS]
        assert run("erase", SUBJECTS[0], "--reason", f"asked for by {SUBJECTS[0]}")[0] == 2
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
        code, (erased,) = run("erase", SUBJECTS[0], "--by", "ann@example.org", "--reason", REASON, "--json")
        assert (code, erased["key_id"], erased["reason"], erased["recorded_at"]) == (3, ids[0], REASON, None)
        assert told(0)["attributes"] == {"email": "(erased)"}
        # The next one with a broker sends both.
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", here.kafka)
        code, (second,) = run("erase", SUBJECTS[1], "--by", "bo@example.org", "--json")
        assert (code, second["key_id"], second["reason"]) == (0, ids[1], None)
        assert second["recorded_at"] is not None
        assert run("erase", "--record") == (0, [])
        assert all(each["recorded_at"] for each in run("erase", "--list", "--json")[1])
        sent = everything(here.kafka, [here.topics.erasure])
        values = [value for _, value in sorted(sent.items())]
        said = [CODEC.decode("erasure", value or b"") for value in values]
        assert [(each["key_id"], each["person"], each["reason"]) for each in said] == [
            (ids[0], "ann@example.org", REASON),
            (ids[1], "bo@example.org", None),
        ]
        assert said[0]["erased_at"] == parse_instant(erased["erased_at"])
        # Sent twice, as after a kill between sending and noting it: each counts once.
        book.record([*values, *values], "erasure", 0)
        rows = store.rows(
            "SELECT key_id, person, reason FROM erasures WHERE key_id IN {ids:Array(String)}", {"ids": ids}
        )
        assert sorted(row["key_id"] for row in rows) == sorted(ids[:2])
        # Whoever has no keys is told by the record; also where a key came back with a backup.
        monkeypatch.delenv("SEAMWATCH_SUBJECT_KEYS")
        assert [told(at)["attributes"]["email"] for at in (0, 2, 4)] == ["(erased)", "(erased)", "(sealed)"]
        assert told(1)["arguments"] == {"iban": "(erased)"}
        (entry,) = told(1)["erasures"]
        assert (entry["key_id"], entry["reason"], entry["key_is_back"]) == (ids[0], REASON, False)
        back = told(0, SEAMWATCH_SUBJECT_KEYS=str(tmp_path / "backup"))
        assert (back["attributes"]["email"], back["erasures"][0]["key_is_back"]) == ("(erased)", True)
        assert told(6)["attributes"]["email"] == f"{SUBJECTS[3]}@example.org"
        SubjectKeyFile(tmp_path / "others").key_of("p")
        unknown = told(6, SEAMWATCH_SUBJECT_KEYS=str(tmp_path / "others"))["attributes"]["email"]
        assert unknown == "(sealed by a key that is not here, and of which no erasure is on record)"
        # Nothing of whose the keys were is in the record of it.
        held = store.text(f"SELECT * FROM erasure WHERE key_id IN ({', '.join(map(repr, ids))})", "JSONEachRow")
        assert not [subject for subject in SUBJECTS if subject.encode() in held]
        # It is proven like all else, and an erasure that somebody made up, moved or took away is found.
        code, (report,) = run("verify", "--key", str(tmp_path / "ledger.key.pub"), "--json")
        assert (code, report["findings"]) == (0, [])
        proof = str(tmp_path / "erasure.tlog-proof")
        assert run("evidence", "--erasure", ids[0], "--out", proof)[0] == 0
        code, (proven,) = run("verify", "--proof", proof, "--key", str(tmp_path / "ledger.key.pub"), "--json")
        assert (code, proven["type"], proven["record"]["person"]) == (0, "erasure", "ann@example.org")
        assert proven["record"]["erased_at"] == erased["erased_at"]
        store.command("ALTER TABLE erasure UPDATE person = 'x' WHERE key_id != '' SETTINGS mutations_sync = 2")
        code, (report,) = run("verify", "--key", str(tmp_path / "ledger.key.pub"), "--json")
        assert (code, {(each["what"], each["table"]) for each in report["findings"]}) == (1, {("column", "erasure")})


def test_what_an_earlier_release_erased_is_recorded_too_and_its_readers_read_on(
    here: Estate,
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    earlier = sqlite3.connect(tmp_path / "subject-keys")
    earlier.executescript(
        "CREATE TABLE subject_key (subject TEXT PRIMARY KEY, key_id BLOB NOT NULL UNIQUE, key BLOB NOT NULL);"
        "CREATE TABLE erasure (key_id BLOB PRIMARY KEY, person TEXT NOT NULL, erased_at INTEGER NOT NULL);"
        "INSERT INTO erasure VALUES (x'000102030405060708090a0b0c0d0e0f', 'ada', 1772442000000000);"
    )
    (listed,) = run("erase", "--list", "--json")[1]
    assert (listed["person"], listed["reason"], listed["recorded_at"]) == ("ada", None, None)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", here.kafka)
    code, (recorded,) = run("erase", "--record", "--json")
    assert (code, recorded["key_id"]) == (0, "000102030405060708090a0b0c0d0e0f")
    assert recorded["recorded_at"] is not None
    ((_, value),) = everything(here.kafka, [here.topics.erasure]).items()
    assert CODEC.decode("erasure", value or b"")["erased_at"] == 1772442000000000
    assert len(earlier.execute("SELECT * FROM erasure").fetchone()) == 3
