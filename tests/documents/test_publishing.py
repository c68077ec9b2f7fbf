"""What messages of the contracts topic say: the first text of a contract version holds, and nothing is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Contract, Estate, Person, System, published
from seamwatch.documents.loading import Folder, load
from seamwatch.documents.publishing import Published, rewritten
from seamwatch.documents.reading import read_file

PARTIES: dict[str, Any] = {"provider": {}, "consumer": {}}
AT = 1_772_409_600_000_000


def contract(high: float, version: str = "1", name: str = "scores") -> Contract:
    clauses = [{"id": "valid", "kind": "range", "min": 0, "max": high}]
    return Contract.model_validate(
        {"kind": "Contract", "id": name, "version": version, "seam": "operations", "covers": ["m"], "parties": PARTIES,
         "clauses": clauses}
    )  # fmt: skip


def message(document: Contract | System | Person, at: int = AT) -> tuple[str, bytes]:
    (only,) = published([document], at)
    return only


def highs(estate: Estate) -> list[tuple[str, Any, int | None]]:
    return [(t.contract.version, t.contract.clauses[0].model_dump()["max"], t.published_at) for t in estate.terms]


def test_another_text_under_a_published_version_changes_nothing_and_is_told() -> None:
    estate = Estate.of_published([message(contract(1)), message(contract(2), AT + 1)])
    assert highs(estate) == [("1", 1, AT)]
    (problem,) = estate.problems
    first, other = contract(1).digest[:12], contract(2).digest[:12]
    assert problem == (
        f"'Contract/scores@1' was published with another text ({other}) than at 2026-03-02T00:00:00Z ({first}): the "
        "first holds; give what is agreed anew another version"
    )


def test_a_later_version_is_another_text_of_its_own() -> None:
    estate = Estate.of_published([message(contract(1)), message(contract(2, "2"), AT + 1)])
    assert highs(estate) == [("1", 1, AT), ("2", 2, AT + 1)]
    assert estate.problems == ()


def test_the_first_text_holds_beyond_a_withdrawal() -> None:
    said = Published()
    for key, value in [message(contract(1)), ("Contract/scores@1", None), message(contract(2), AT + 1)]:
        said.take(key, value)
    assert highs(said.estate()) == []
    assert len(said.estate().problems) == 1
    # The first text may come again, from then on.
    said.take(*message(contract(1), AT + 2))
    assert highs(said.estate()) == [("1", 1, AT + 2)]
    assert said.estate().problems == ()
    assert said.first["Contract/scores@1"].at == AT


def test_what_cannot_be_read_is_told_and_takes_no_contract_away() -> None:
    estate = Estate.of_published([message(contract(1)), ("Contract/scores@1", b"{")])
    assert highs(estate) == [("1", 1, AT)]
    assert "cannot be used" in estate.problems[0]
    estate = Estate.of_published([("Contract/scores@1", b"{"), message(contract(2))])
    assert (highs(estate), estate.problems) == ([("1", 2, AT)], ())


def test_systems_and_persons_are_as_published_last() -> None:
    def system(owner: str) -> System:
        return System.model_validate({"kind": "System", "id": "m", "type": "model", "owner": owner})

    estate = Estate.of_published([message(system("a@example.org")), message(system("b@example.org"), AT + 1)])
    assert (estate.systems["m"].owner, estate.problems) == ("b@example.org", ())


_messages = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([1.0, 2.0, None]), st.integers(0, 5)), max_size=12
)


@given(_messages, st.integers(0, 12))
def test_messages_taken_one_after_another_say_what_they_say_together(
    sent: list[tuple[str, float | None, int]], cut: int
) -> None:
    messages: list[tuple[str, bytes | None]] = [
        (f"Contract/{name}@1", None) if high is None else message(contract(high, name=name), AT + at)
        for name, high, at in sent
    ]
    said = Published()
    for key, value in messages[:cut]:
        said.take(key, value)
    said.estate()
    for key, value in messages[cut:]:
        said.take(key, value)
    whole = Estate.of_published(messages)
    assert (highs(said.estate()), said.estate().problems) == (highs(whole), whole.problems)
    for name in ("a", "b"):
        # By the first text that ever was, as long as the last that was of it is not withdrawn.
        texts = [(high, at) for of, high, at in sent if of == name]
        first = next((high for high, _ in texts if high is not None), None)
        counting = [(high, at) for high, at in texts if high in (None, first)]
        expected = [] if not counting or counting[-1][0] is None else [("1", first, AT + counting[-1][1])]
        assert [h for t, h in zip(whole.terms, highs(whole), strict=True) if t.contract.id == name] == expected


YAML = """\
kind: Person
id: ada@example.org
name: Ada
---
kind: Contract
id: scores
version: "1"
seam: operations
covers: [m]
parties: {provider: {signatory: ada@example.org}, consumer: {}}
clauses:
  - {id: valid, kind: range, min: 0, max: 1}
"""


def test_a_contract_that_was_changed_under_its_version_is_named_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(YAML)
    said = Published()
    for document in load(tmp_path).estate().contracts:
        said.take(*message(document))
    assert list(rewritten(load(tmp_path).reads, said.first)) == []
    file.write_text(YAML.replace("max: 1}", "max: 0.9}"))
    (problem,) = rewritten(load(tmp_path).reads, said.first)
    assert str(problem) == (
        f"{file}:7: version '1' of contract 'scores' was published with another text at 2026-03-02T00:00:00Z, which "
        "what was judged is held to: give what is agreed anew another version"
    )
    file.write_text(YAML.replace("max: 1}", "max: 0.9}").replace('version: "1"', 'version: "2"'))
    assert list(rewritten(load(tmp_path).reads, said.first)) == []


def test_a_folder_that_is_loaded_again_reads_what_has_changed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text(f"kind: Person\nid: p{number}\nname: P\n")
    read: list[str] = []

    def counted(path: Path, shown: str) -> Any:
        read.append(path.name)
        return read_file(path, shown)

    monkeypatch.setattr("seamwatch.documents.reading_many.read_file", counted)
    folder = Folder(tmp_path)
    assert len(folder.load().estate().persons) == 5
    assert len(read) == 5
    read.clear()
    (tmp_path / "3.yaml").write_text("kind: Person\nid: p3\nname: Another\n")
    (tmp_path / "1.yaml").unlink()
    (tmp_path / "9.yaml").write_text("kind: Person\nid: p0\nname: P\n")
    again = folder.load()
    assert sorted(read) == ["3.yaml", "9.yaml"]
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in again.problems] == [
        f"9.yaml:2: person 'p0' is defined twice: first in {tmp_path}/0.yaml:2"
    ]
    (tmp_path / "9.yaml").unlink()
    persons = folder.load().estate().persons
    assert {name: person.name for name, person in persons.items()} == {
        "p0": "P", "p2": "P", "p3": "Another", "p4": "P",
    }  # fmt: skip
