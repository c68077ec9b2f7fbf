"""No reader of documents takes a part of a folder for the whole of it, or an empty one for one in which all is well."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.app import build
from console.published_folder import PublishedFolder
from console.what_if import read_state
from seamwatch.documents import Estate, load_folder
from seamwatch.documents.vouching import before_below
from seamwatch.errors import DocumentError
from seamwatch.guard import Guard
from seamwatch.settings import load_settings

PEOPLE = """\
kind: Person
id: ada@example.org
name: Ada
"""
ESTATE = (
    PEOPLE
    + """\
---
kind: System
id: scores
type: model
owner: ada@example.org
---
kind: Contract
id: feed
version: "1"
seam: model-to-product
covers: [scores]
parties: {provider: {team: a, signatory: ada@example.org}, consumer: {team: b}}
clauses:
  - {id: ok, kind: range, min: 0, max: 1}
"""
)


def dangling(folder: Path, _: pytest.MonkeyPatch) -> str:
    (folder / "more.yaml").symlink_to(folder / "nowhere.yaml")
    return "more.yaml:1: is no file that can be read, or a link that leads nowhere"


def linked(folder: Path, _: pytest.MonkeyPatch) -> str:
    elsewhere = folder.parent / "elsewhere" / "deeper"
    elsewhere.mkdir(parents=True)
    (elsewhere / "more.YML").write_text(PEOPLE.replace("ada", "bob"))
    (folder / "more").symlink_to(elsewhere.parent)
    return "more:1: is a link to a folder, which is not followed"


def unreadable(folder: Path, patch: pytest.MonkeyPatch) -> str:
    (folder / "more").mkdir()
    scan = os.scandir

    def refuse(place: Any) -> Any:  # as for anybody who may not read it; root may
        if Path(place).name == "more":
            raise PermissionError(13, "Permission denied")
        return scan(place)

    patch.setattr("os.scandir", refuse)
    return "more:1: cannot be read: Permission denied"


def otherwise_named(folder: Path, _: pytest.MonkeyPatch) -> str:
    (folder / "more.json").write_text(json.dumps({"kind": "Person", "id": "bob@example.org", "name": "Bob"}))
    return "more.json:1: is a document in a file that is not read for its name"


FAULTS = (dangling, linked, unreadable, otherwise_named)


def by_command(*arguments: str) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        words = [argument.replace("DIR", str(folder)) for argument in arguments]
        result = CliRunner().invoke(build(), words)
        if isinstance(result.exception, DocumentError):
            return str(result.exception)
        assert result.exit_code != 0, result.output
        return result.output.replace("\n         ", ": ")  # the gate says place and reason on two lines

    return read


def by_call(call: Callable[[Path], object]) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        with pytest.raises(DocumentError) as raised:
            call(folder)
        return str(raised.value)

    return read


def guarded(folder: Path) -> object:
    return Guard.load(folder, system="scores", version="1")


def up(folder: Path) -> None:
    PublishedFolder(folder, load_settings(), print).check()


READERS: dict[str, Callable[[Path], str]] = {
    "check": by_command("contracts", "check", "DIR"),
    "verify": by_command("contracts", "verify", "DIR"),
    "diff": by_command("contracts", "diff", "DIR", "DIR"),
    "gate": by_command("gate", "scores", "--contracts", "DIR", "--offline"),
    "replay": by_command("replay", "--contracts", "DIR", "DIR/../events.ndjson"),
    "export": by_command("contracts", "export", "feed", "--contracts", "DIR"),
    "publish, from code": by_call(Estate.load),
    "up": by_call(up),
    "guard": by_call(guarded),
    "keys of before": by_call(before_below),
    "what if": by_call(read_state),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "estate"
    made.mkdir()
    (made / "estate.YAML").write_text(ESTATE)
    (tmp_path / "events.ndjson").write_text("")
    return made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_names_what_it_could_not_read(
    folder: Path, reader: str, fault: Callable[[Path, pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = fault(folder, monkeypatch)
    assert told in READERS[reader](folder)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_who_signs_is_told_what_lies_beside_and_was_not_read(
    folder: Path, fault: Callable[[Path, pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = fault(folder, monkeypatch)
    file = str(folder / "estate.YAML")
    result = CliRunner().invoke(build(), ["contracts", "sign", file, "--as", "ada@example.org", "--key", "absent.pem"])
    assert f"note: {folder}/{told}" in result.output


def test_what_nobody_meant_as_a_document_is_no_problem(folder: Path) -> None:
    (folder / "notes.txt").write_text("A contract has a kind: Contract, and\n# kind: Person\n# id: nobody\n")
    (folder / "deployment.json").write_text('{"kind": "Deployment", "id": "x"}')
    (folder / "estate.yaml.bak").write_text(ESTATE)
    (folder / "estate.YAML.sig").write_text("# nobody yet\n")
    (folder / ".git").mkdir()
    assert [str(p) for p in load_folder(folder)[1] if "hand-over" not in p.message] == []


EMPTY = ("check", "verify", "diff", "keys of before", "what if")


@pytest.mark.parametrize("reader", EMPTY)
def test_an_empty_folder_is_an_error(tmp_path: Path, reader: str) -> None:
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "README.md").write_text("Nothing yet.")
    assert "estate:1: there is no document in it" in READERS[reader](folder)


def test_a_folder_without_contracts_has_nothing_to_verify(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(PEOPLE)
    assert "there is no contract in it" in READERS["verify"](tmp_path)
    result = CliRunner().invoke(build(), ["contracts", "verify", str(tmp_path), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["holds"]) == (1, False)
    assert CliRunner().invoke(build(), ["contracts", "check", str(tmp_path)]).exit_code == 0


def test_a_replay_without_documents_says_by_what_it_judged(tmp_path: Path) -> None:
    (tmp_path / "estate").mkdir()
    (tmp_path / "events.ndjson").write_text("")
    words = ["replay", "--contracts", str(tmp_path / "estate"), str(tmp_path / "events.ndjson")]
    result = CliRunner().invoke(build(), words)
    assert "there is no document in" in result.output
    assert "judged by the defaults alone" in result.output
