"""Checkpoints kept elsewhere: one file of all of them, by which what vanished whole is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.app import main
from seamwatch.errors import ProofError
from sinks.ledger.format.notes import Checkpoint, SignerKey
from sinks.ledger.format.origins import origin_of
from sinks.ledger.kept import join_notes, read_kept, split_notes, update
from sinks.store.client import Store
from tests.sinks.ledger.copies import KEY, Copy, Original, original

KEYS = [KEY.verifier]
SPEAK = (
    *("violation", "dead_letter", "ledger_commit", "ledger_intent", "ledger_tile", "checkpoint"),
    *("retention", "ledger_dropped"),
)
"""The tables that say anything of a violation's topic."""
GONE = "t.violations.scope"


@pytest.fixture(scope="module")
def made(clickhouse: str, auditor_url: str) -> Iterator[Original]:
    with original(clickhouse, auditor_url) as made:
        yield made


@pytest.fixture
def copy(made: Original) -> Iterator[Copy]:
    with made.copy() as copy:
        yield copy


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_a_topic_that_vanished_with_all_that_spoke_of_it_is_found_by_who_kept_the_file(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, kept = tmp_path / "ledger.pub", tmp_path / "checkpoints.txt"
    key.write_text(f"{KEY.verifier}\n")
    for name, value in {
        "CLICKHOUSE_URL": copy.auditor,
        "SEAMWATCH_PREFIX": "t",
        "SEAMWATCH_DATA": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    export = ("checkpoints", "--key", str(key), "--out", str(kept))
    verify = ("verify", "--key", str(key), "--json", "--checkpoints", str(kept))
    code, said, _ = run(capsys, *export, "--json")
    count = json.loads(said)["checkpoints"]
    assert count > 30  # one for each partition of each topic that holds anything
    assert (code, json.loads(said)) == (0, {"checkpoints": count, "newer": count, "wrong": []})
    assert run(capsys, "checkpoints", "--key", str(key))[:2] == (0, kept.read_text("utf-8"))
    code, said, _ = run(capsys, *verify)
    report = json.loads(said.splitlines()[-1])
    assert (code, report["kept"], report["findings"]) == (0, count, [])
    copy.run(*(f"ALTER TABLE {table} DELETE WHERE topic = '{GONE}'" for table in SPEAK))
    # The store alone knows of nothing any more.
    assert run(capsys, *verify[:4])[0] == 0
    code, said, _ = run(capsys, *verify)
    findings = json.loads(said.splitlines()[-1])["findings"]
    assert code == 1
    assert [(each["what"], each["topic"], each["partition"]) for each in findings] == [
        ("ahead", GONE, n) for n in range(3)
    ]
    # Nor does bringing the file up to date forget what the store has forgotten.
    before = kept.read_bytes()
    code, said, told = run(capsys, *export)
    assert (code, kept.read_bytes()) == (1, before)
    assert said == f"{count} checkpoints are in {kept}, 0 newer than before\n"
    assert (
        told.splitlines()[0]
        == f"{GONE}[0]: a checkpoint of 8 records is kept, and the store has none: it is gone from there"
    )


def test_a_file_is_only_ever_replaced_by_what_goes_on_from_it(made: Original, copy: Copy) -> None:
    with Store(copy.auditor) as store:
        newest = update(store, KEYS, [])
        assert (newest.newer, newest.wrong, len(newest.kept)) == (len(made.book.at), [], len(made.book.at))
        rows = store.rows("SELECT note FROM checkpoint WHERE tree_size = 4 ORDER BY topic, partition")
        older = read_kept("\n".join(row["note"] for row in rows), KEYS)
        assert update(store, KEYS, older) == newest
        place, old = older[7]
        root = bytes(32)
        forked = KEY.sign(Checkpoint(old.checkpoint.origin, 4, root))
        (other,) = read_kept(forked, KEYS)
        found = update(store, KEYS, [*older, other])
        assert other[1] in found.kept
        assert len(found.kept) == len(newest.kept) + 1
        assert [each.split(":")[0] for each in found.wrong] == [f"{place[0]}[{place[1]}]"]
        assert "do not show the kept checkpoint of 4 records to be the beginning" in found.wrong[0]
        assert update(store, KEYS, read_kept(join_notes(found.kept), KEYS)).kept == found.kept
    copy.run("ALTER TABLE checkpoint DELETE WHERE tree_size > 4 AND topic = 't.page' AND partition = 1")
    copy.run(
        "ALTER TABLE checkpoint UPDATE note = replaceOne(note, '\n8\n', '\n9\n') "
        "WHERE topic = 't.page' AND tree_size = 8"
    )
    with Store(copy.auditor) as store:
        held = [(place_of(each.note), each) for each in newest.kept]
        found = update(store, KEYS, held)
        assert found.kept == newest.kept
        assert [each.split(": ")[0] for each in found.wrong] == [
            "t.page[0]",
            "t.page[2]",
            *(f"t.page[{n}]" for n in range(3)),
        ]


def place_of(note: str) -> tuple[str, int]:
    ((place, _),) = read_kept(note, KEYS)
    return place


def test_notes_in_a_file_are_told_apart_whatever_is_between_them_and_each_must_hold() -> None:
    notes = [
        KEY.sign(Checkpoint(origin_of(KEY.name, (topic, 0)), size, bytes(32))) for topic in "ab" for size in (1, 2)
    ]
    cosigned = notes[1] + "— witness.example.org " + "A" * 88 + "\n"
    for between in ("\n", "\n\n\n"):
        for some in ([notes[0]], notes, [notes[0], cosigned, notes[2]]):
            assert split_notes(between.join(some)) == some
    assert split_notes("") == split_notes("\n\n") == []
    assert [place for place, _ in read_kept("\n".join(notes), KEYS)] == [("a", 0), ("a", 0), ("b", 0), ("b", 0)]
    other = SignerKey.make("other.example.org")
    nowhere = KEY.sign(Checkpoint(f"{KEY.name}/a/x", 1, bytes(32)))
    for wrong in (other.sign(Checkpoint(f"{other.name}/a/0", 1, bytes(32))), nowhere, notes[1][:-9], "junk"):
        with pytest.raises(ProofError, match="checkpoint 2: "):
            read_kept(f"{notes[0]}\n{wrong}", KEYS)
