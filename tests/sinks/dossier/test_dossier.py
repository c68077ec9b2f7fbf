"""A dossier from a store to somebody with the public key alone: whole, it holds; whatever was changed is named."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from console.app import main
from seamwatch.durations import DAY
from seamwatch.instants import format_instant
from seamwatch.sealing import SealContext, SubjectKey, seal
from seamwatch.wire.topics import Topics
from seamwatch.wire.writers import Writers
from sinks.dossier.asked import QUESTIONS
from sinks.dossier.checking import Checked, check
from sinks.dossier.noting import NotingStore
from sinks.dossier.removals import FILE, removal_lines
from sinks.dossier.requirements import Source, packaged
from sinks.dossier.scope import Scope
from sinks.dossier.seal import MANIFEST, SEAL, LedgerSealer, PersonSealer, read_manifest
from sinks.dossier.writing import Order, Written, write
from sinks.ledger.dropped import Drop
from sinks.ledger.format.notes import SignerKey
from tests.console.populated import AGENT, MODEL, PEOPLE, Populated, call, decision, populated
from tests.sinks.mixed import Mixed, Sent
from tests.sinks.samples import CODEC, NOW

ROOT = Path(__file__).parents[3]
SCOPE = Scope(MODEL, NOW - DAY, NOW + 600_000_000)
ODD = "größe/ü 1"
SUBJECT = SubjectKey.make("p-81")
OTHER = SubjectKey.make("p-82")
PRIVATE = bytes(range(32))
REMOVED = Drop(
    "d1",
    "inference",
    209901,
    ("t.inference", 0),
    0,
    9,
    4,
    bytes(32),
    DAY,
    NOW,
    "owner@example.org",
    "its time was over",
)


@dataclass(frozen=True)
class World:
    """A store with several estates in it, and what signs for it."""

    url: str
    key: SignerKey

    def write(self, out: Path, scope: Scope = SCOPE, sources: Sequence[Source] | None = None) -> Written:
        order = Order(scope, packaged() if sources is None else sources, LedgerSealer(self.key), Writers().definition)
        with NotingStore(self.url) as store:
            return write(store, order, out)

    def check(self, path: Path) -> Checked:
        return check(path, [self.key.verifier])


@pytest.fixture(scope="module")
def world(clickhouse: str, auditor_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as environment, populated(clickhouse, folder, environment) as made:
        fill(made)
        yield World(f"{auditor_url.rpartition('/')[0]}/{made.url.rpartition('/')[2]}", made.book.key)


def fill(made: Populated) -> None:
    """What an estate has beside: records of every topic, odd ids, personal values, an erasure, a withdrawal."""
    made.book.fill(Mixed(Topics("t"), seed=7, kinds=("range",)), ranges=1, each=6)
    texts = []
    for number, key in enumerate((SUBJECT, OTHER, SUBJECT)):
        name = f"sealed-{number}"
        one = decision(name, NOW - 1_000_000 * (number + 1))
        email = seal("somebody@example.org", key, SealContext(one["event_id"], "attributes.email"))
        texts.append({**one, "attributes": [{"key": "email", "value": email}]})
    made.send("inference", *texts)
    made.send("tool_call", call("k1", NOW - 5_000_000, arguments=json.dumps({"iban": "x"})))
    made.send("inference", decision("late", NOW + 600_000_000), decision("before", NOW - 2 * DAY))
    erased = {"key_id": SUBJECT.key_id.hex(), "erased_at": NOW, "person": PEOPLE[1], "reason": "asked for"}
    made.book.record([CODEC.encode("erasure", erased)], "erasure")
    for value in (person({"key_id": "old", "public": b64encode(bytes(32)).decode()}), None, person(*keys())):
        made.book.write([Sent("t.contracts", 0, f"Person/{PEOPLE[1]}".encode(), value, [], True)])
    made.book.write([Sent("t.contracts", 0, b"System/gone", None, [], True)])
    note = made.book.key.note(REMOVED.text(made.book.key.name))
    values = {"drop_id": "d1", "table": "inference", "month": REMOVED.month, "topic": "t.inference", "note": note}
    made.store.insert("retention", pl.DataFrame({name: [value] for name, value in values.items()}), "d1")


def keys() -> list[dict[str, str]]:
    from console.keys import public_of

    return [{"key_id": "tomas-1", "public": public_of(PRIVATE)}]


def person(*published: dict[str, str]) -> bytes:
    document = {"kind": "Person", "id": PEOPLE[1], "name": "Tomas Example", "keys": list(published)}
    return json.dumps({"document": document, "digest": "d", "published_at": NOW}).encode()


@pytest.fixture(scope="module")
def dossier(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dossier") / "model.zip"
    world.write(out)
    return out


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: dict[str, bytes], out: Path) -> Path:
    """The same members in another archive, as any tool packs them."""
    with zipfile.ZipFile(out, "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)
    return out


def test_whole_it_holds_and_says_how_much_it_shows(world: World, dossier: Path) -> None:
    checked = world.check(dossier)
    assert checked.wrong == []
    assert checked.sealed_by is not None
    assert checked.sealed_by.person is None
    assert checked.records["inference"] == 6  # three of the estate, three sealed; not those before and after
    assert {"document", "violation", "page", "outcome", "config_change", "erasure"} <= set(checked.records)
    assert sum(shown.beside for shown in checked.shown) > 0
    said = json.loads(members(dossier)["index.json"])
    assert said["records"] == dict(checked.records)
    assert said["sealed_values"] == 3
    assert said["erased"] == {SUBJECT.key_id.hex(): 2}
    assert said["dead_letters"] > 0
    assert [(one["table"], one["because"]) for one in said["removed"]] == [("inference 209901", "its time was over")]
    assert "its time was over" in members(dossier)["index.html"].decode()


def test_each_byte_that_is_changed_anywhere_is_found(world: World, dossier: Path, tmp_path: Path) -> None:
    content, chance, out = dossier.read_bytes(), random.Random(3), tmp_path / "changed.zip"
    ends = [*range(len(content) - 190, len(content), 3), *range(0, 40, 5)]
    for at in [*ends, *(chance.randrange(len(content)) for _ in range(40))]:
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        out.write_bytes(changed)
        assert world.check(out).wrong, f"byte {at} of {len(content)}"


def test_each_member_that_is_changed_is_named_also_in_an_archive_that_was_packed_anew(
    world: World, dossier: Path, tmp_path: Path
) -> None:
    whole, chance = members(dossier), random.Random(5)
    anew = packed(whole, tmp_path / "anew.zip")
    checked = world.check(anew)
    assert checked.wrong == []
    assert len(checked.notes) == 1
    for name, content in whole.items():
        if content:
            changed = bytearray(content)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            found = world.check(packed({**whole, name: bytes(changed)}, tmp_path / "changed.zip")).wrong
            assert any(name in each for each in found), (name, found)
    for name in (MANIFEST, SEAL, "index.html", "answers/why.sql", of(whole, "inference", "siblings.txt")):
        without = {other: each for other, each in whole.items() if other != name}
        found = world.check(packed(without, tmp_path / "without.zip")).wrong
        assert any(name in each or (name == SEAL and "nobody sealed" in each) for each in found), (name, found)
    found = world.check(packed({**whole, "more.txt": b"x"}, tmp_path / "more.zip")).wrong
    assert found == ["more.txt: is not among the files of the dossier"]


def listed_anew(content: dict[str, bytes]) -> dict[str, bytes]:
    """The list of files as whoever changes them would write it, who has no key."""
    import hashlib

    said = json.loads(content[MANIFEST])
    for name, each in content.items():
        if name not in (MANIFEST, SEAL):
            said["files"][name] = {"sha256": hashlib.sha256(each).hexdigest(), "bytes": len(each)}
    said["files"] = dict(sorted(said["files"].items()))
    return {**content, MANIFEST: json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"}


def of(whole: dict[str, bytes], topic: str, name: str) -> str:
    return next(each for each in whole if each.startswith(f"ledger/t.{topic}/") and each.endswith(name))


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "rows.jsonl": lambda content: content.replace(b'"decision":"refuse"', b'"decision":"accept"', 1),
    "records.txt": lambda content: content[content.index(b"\n") + 1 :],
    "siblings.txt": lambda content: content[:-45],
    "checkpoint.txt": lambda content: content.replace(b"inference/0", b"inference/1"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_who_lists_the_files_anew_but_has_no_key_changes_no_record(
    world: World, dossier: Path, tmp_path: Path, name: str
) -> None:
    whole = members(dossier)
    own = of(whole, "inference", name)
    content = {**whole, own: ALTERATIONS[name](whole[own])}
    assert content[own] != whole[own]
    for sealed in (content, {each: part for each, part in content.items() if each != SEAL}):
        found = world.check(packed(listed_anew(sealed), tmp_path / "changed.zip")).wrong
        assert any(own.rpartition("/")[0] in each for each in found), found
        assert any("seal" in each for each in found), found


def test_a_removal_that_the_ledger_did_not_sign_for_is_none(world: World, dossier: Path, tmp_path: Path) -> None:
    whole, other = members(dossier), SignerKey.make("ledger.example.org")
    ours, theirs = (key.note(replace(REMOVED, count=3).text(key.name)) for key in (world.key, other))
    checkpoint = whole[of(whole, "inference", "checkpoint.txt")].decode()
    for note in (theirs, ours.replace("leaves 3", "leaves 2"), checkpoint, "no note"):
        content = {**whole, FILE: b"".join(removal_lines([note]))}
        assert [each for each in world.check(packed(content, tmp_path / "other.zip")).wrong if f"{FILE}: " in each][1:]
    # One that is signed for is still not the one that was sealed.
    content = {**whole, FILE: b"".join(removal_lines([ours]))}
    found = world.check(packed(content, tmp_path / "other.zip")).wrong
    assert found[0] == f"{FILE}: is not what the list of files says"


def test_a_record_can_neither_be_moved_nor_shown_twice(world: World, dossier: Path, tmp_path: Path) -> None:
    whole = members(dossier)
    own, rows = of(whole, "inference", "records.txt"), of(whole, "inference", "rows.jsonl")
    records, shown = whole[own].splitlines(keepends=True), whole[rows].splitlines(keepends=True)
    for order in ([1, 0, *range(2, len(records))], [0, *range(len(records))]):
        content = {**whole, own: b"".join(records[at] for at in order), rows: b"".join(shown[at] for at in order)}
        found = world.check(packed(listed_anew(content), tmp_path / "changed.zip")).wrong
        assert any(own.rpartition("/")[0] in each for each in found), found


def test_another_ledgers_key_vouches_for_nothing(dossier: Path) -> None:
    found = check(dossier, [SignerKey.make("ledger.example.org").verifier]).wrong
    assert any(SEAL in each for each in found)
    assert sum("checkpoint.txt" in each for each in found) > 5


def sealed(whole: dict[str, bytes], sealer: PersonSealer) -> dict[str, bytes]:
    return {**whole, SEAL: sealer(read_manifest(whole[MANIFEST]))}


def test_a_person_may_vouch_by_the_key_that_the_records_show(world: World, dossier: Path, tmp_path: Path) -> None:
    whole, sealer = members(dossier), PersonSealer(PEOPLE[1], "tomas-1", PRIVATE)
    checked = world.check(packed(sealed(whole, sealer), tmp_path / "signed.zip"))
    assert checked.wrong == []
    assert checked.sealed_by is not None
    assert checked.sealed_by.person == PEOPLE[1]
    for other in (replace(sealer, key_id="old"), replace(sealer, private=bytes(32)), replace(sealer, person=PEOPLE[0])):
        found = world.check(packed(sealed(whole, other), tmp_path / "other.zip")).wrong
        assert len(found) == 1
        assert SEAL in found[0]


def test_what_nobody_sealed_is_named(world: World, dossier: Path, tmp_path: Path) -> None:
    whole = members(dossier)
    del whole[SEAL]
    checked = world.check(packed(whole, tmp_path / "unsealed.zip"))
    assert len(checked.wrong) == 1
    assert "nobody sealed it" in checked.wrong[0]
    assert {"index.html", "index.json", "answers/why.jsonl", "answers/why.sql"} <= set(checked.unvouched)
    assert not any(name.endswith(("rows.jsonl", "records.txt")) for name in checked.unvouched)


@pytest.mark.parametrize("system", [AGENT, ODD, "a`b", 'O\'Brien \\ "sons" \\n', "系統-7"])
def test_systems_of_any_name_and_kind_have_one(world: World, tmp_path: Path, system: str) -> None:
    (short,) = (source for source in packaged() if source.id == "eu-ai-act")
    logs = tuple(each for each in short.requirements if each.number == "Article 19")
    short = short.model_copy(update={"requirements": logs})
    out = tmp_path / "other.zip"
    written = world.write(out, Scope(system, NOW - DAY, NOW + DAY), [short])
    checked = world.check(out)
    assert checked.wrong == []
    assert checked.records.total() == written.records > 0
    assert checked.gaps == written.gaps
    # An agent's log is of its calls, and it may decide nothing.
    assert written.gaps == []


def test_a_time_with_nothing_in_it_is_all_gaps(world: World, tmp_path: Path) -> None:
    out = tmp_path / "empty.zip"
    written = world.write(out, Scope("nobody-knows-it", 0, DAY))
    checked = world.check(out)
    assert checked.wrong == []
    every = [f"{source.title}, {one.number}" for source in packaged() for one in source.requirements]
    assert sorted(gap["of"] for gap in checked.gaps) == sorted(every)
    page = members(out)["index.html"].decode()
    assert all(gap["gap"] in page for gap in written.gaps)


def test_every_question_is_asked_and_its_sql_is_there(dossier: Path) -> None:
    whole = members(dossier)
    asked = {each.question for source in packaged() for one in source.requirements for each in one.evidence}
    assert asked <= QUESTIONS.keys()
    for question in asked:
        assert b"SELECT" in whole[f"answers/{question}.sql"]
        for line in whole[f"answers/{question}.jsonl"].splitlines():
            assert isinstance(json.loads(line), dict)
    assert b"SELECT * FROM inference WHERE" in whole["ledger/records.sql"]


def test_the_page_is_for_a_person_and_promises_nothing(dossier: Path) -> None:
    whole = members(dossier)
    page = whole["index.html"].decode()
    assert "complian" not in page.lower()
    assert "complian" not in json.dumps(json.loads(whole["index.json"])).lower()
    assert "http://" not in page
    assert "<script" not in page
    for source in packaged():
        assert source.title in page
        assert all(requirement.title in page for requirement in source.requirements)


def test_a_broken_file_is_said_to_be_one(world: World, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    for content in (b"", b"PK", b"PK\x05\x06" + bytes(18), io.BytesIO().getvalue() + b"x" * 200):
        broken.write_bytes(content)
        assert world.check(broken).wrong


def test_by_command_the_same_bytes_are_written_and_checked_in_an_empty_folder_with_the_key_alone(
    world: World, dossier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.key").write_text(f"{world.key.secret_line()}\n")
    for name, value in (
        ("SEAMWATCH_AUDITOR_URL", world.url),
        ("CLICKHOUSE_URL", world.url),
        ("SEAMWATCH_DATA", str(tmp_path / "data")),
        ("SEAMWATCH_LEDGER_KEY", str(tmp_path / "ledger.key")),
    ):
        monkeypatch.setenv(name, value)
    out, alone = tmp_path / "model.zip", tmp_path / "alone"
    time = ["--from", format_instant(SCOPE.start), "--to", format_instant(SCOPE.end)]
    code, said = run(capsys, "evidence", "--system", MODEL, *time, "--out", str(out))
    gaps = [line for line in said.splitlines() if line.startswith("gap: ")]
    assert code == (1 if gaps else 0)
    assert out.read_bytes() == dossier.read_bytes()
    alone.mkdir()
    (alone / "ledger.pub").write_text(f"{world.key.verifier}\n")
    done = subprocess.run(
        [sys.executable, "-c", "from console.app import main; main()", "verify", "--bundle", str(out), "--key",
         "ledger.pub", "--json"],
        cwd=alone, env={"PYTHONPATH": str(ROOT), "HOME": str(alone)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    answer = json.loads(done.stdout)
    assert answer["wrong"] == []
    assert answer["system"] == MODEL
    assert len(answer["gaps"]) == len(gaps)
    changed = bytearray(out.read_bytes())
    changed[len(changed) // 2] ^= 1
    out.write_bytes(changed)
    code, said = run(capsys, "verify", "--bundle", str(out), "--key", str(alone / "ledger.pub"))
    assert code == 1
    assert "wrong: the archive is not as it was packed" in said
    for wrong in (["--out", str(out)], ["--from", "2027-01-01", "--to", "2026-01-01"], ["--event", "x"]):
        assert run(capsys, "evidence", "--system", MODEL, *wrong)[0] == 2
    assert run(capsys, "evidence", "--from", "2026-01-01")[0] == 2


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out
