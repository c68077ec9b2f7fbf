"""Signatures are published with what they are under, and later ones change nothing else of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bus.documents import ContractsFollower, publish_folder
from seamwatch.clock import ScaledClock
from seamwatch.documents import Estate
from seamwatch.durations import HOUR
from seamwatch.instants import parse_instant
from sinks.published import read_document
from tests.signing.folder import NOW, Folder, prepare
from tests.streams.stages import Scene

KEY = "Contract/credit-limits@1"
AT = parse_instant(NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return prepare(tmp_path, monkeypatch)


def message(scene: Scene) -> dict[str, Any]:
    follower = ContractsFollower(scene.kafka, scene.prefix)
    follower.close()
    said: dict[str, Any] = json.loads(follower.messages[KEY])
    return said


def clock(at: int) -> ScaledClock:
    return ScaledClock(at, 0, 0)


def test_signatures_travel_and_later_ones_keep_what_was_published_when(scene: Scene, folder: Folder) -> None:
    assert KEY in publish_folder(scene.kafka, scene.prefix, folder.path, clock(AT)).new
    unsigned = message(scene)
    assert sorted(unsigned) == ["digest", "document", "published_at"]

    folder.sign("lead", "risk")
    done = publish_folder(scene.kafka, scene.prefix, folder.path, clock(AT + HOUR))
    assert (done.signed, done.new, done.changed) == ((KEY,), (), ())
    half = message(scene)
    assert {name: half[name] for name in unsigned} == unsigned
    lines = [line.split() for line in folder.signatures.read_text().splitlines()]
    assert [(s["person"], s["key_id"], s["signed_at"], s["signature"]) for s in half["signatures"]] == [
        tuple(line[2:]) for line in lines
    ]
    assert len(lines) == 2

    # What was published is kept, also when the file of signatures has lost a line.
    folder.signatures.unlink()
    folder.sign("product")
    assert publish_folder(scene.kafka, scene.prefix, folder.path, clock(AT + 2 * HOUR)).signed == (KEY,)
    whole = message(scene)
    assert {name: whole[name] for name in unsigned} == unsigned
    assert {s["person"] for s in whole["signatures"]} == {f"{p}@example.org" for p in ("lead", "product", "risk")}
    assert publish_folder(scene.kafka, scene.prefix, folder.path, clock(AT + 3 * HOUR)).signed == ()

    row = read_document(KEY.encode(), json.dumps(whole).encode())
    assert json.loads(row["signatures"]) == whole["signatures"]
    assert read_document(KEY.encode(), json.dumps(unsigned).encode())["signatures"] is None


def test_what_does_not_hold_does_not_travel(scene: Scene, folder: Folder) -> None:
    folder.sign("lead", "product", "risk")
    lines = folder.signatures.read_text().splitlines()
    lead, product, risk = lines
    forged = " ".join([*product.split()[:5], lead.split()[5]])
    other = risk.replace(risk.split()[1], "0" * 64)
    folder.signatures.write_text(f"{lead}\n{forged}\n{other}\n")
    publish_folder(scene.kafka, scene.prefix, folder.path, clock(AT))
    assert [s["person"] for s in message(scene)["signatures"]] == ["lead@example.org"]


def test_a_signature_that_cannot_be_read_leaves_what_was_there_before(folder: Folder) -> None:
    folder.sign("lead")
    estate = Estate.load(folder.path)
    value = {"document": estate.contracts[0].written, "digest": estate.contracts[0].digest, "published_at": AT}
    wrong = {**value, "signatures": [{"person": "lead@example.org"}]}
    told = Estate.of_published([(KEY, json.dumps(value).encode()), (KEY, json.dumps(wrong).encode())])
    assert [term.published_at for term in told.terms] == [AT]
    assert told.problems == (
        f"published document '{KEY}' cannot be used: a signature lacks one of person, key_id, signed_at, signature",
    )
    assert [line.person for line in estate.signatures[KEY]] == ["lead@example.org"]
