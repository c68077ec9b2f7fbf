"""What covers a system is found by an index, and is what asking every pair would find."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Estate, load_folder
from seamwatch.documents.covering import Covering, Glob, Ids
from seamwatch.documents.loading import load
from seamwatch.documents.signing_verdicts import unsigned_of

SYSTEMS = st.text("ab-*[\U0010ffff", min_size=1, max_size=6)
PATTERNS = st.text("ab-*?[]!\U0010ffff", min_size=1, max_size=6)


@given(st.lists(st.tuples(PATTERNS, st.integers(0, 4)), max_size=12), SYSTEMS)
def test_the_index_finds_what_asking_every_pattern_finds(patterns: list[tuple[str, int]], system: str) -> None:
    items = [object() for _ in range(5)]
    covering = Covering((pattern, items[number]) for pattern, number in patterns)
    expected = [items[number] for pattern, number in patterns if fnmatchcase(system, pattern)]
    assert covering.of(system) == tuple(dict.fromkeys(expected))


@given(st.lists(SYSTEMS, max_size=12), PATTERNS)
def test_a_pattern_matches_an_id_if_any_does(systems: list[str], pattern: str) -> None:
    assert Ids(systems).any_matching(pattern) == any(fnmatchcase(system, pattern) for system in systems)


def test_nobody_is_asked_of_systems_that_a_pattern_cannot_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    matches = Glob.matches

    def counted(glob: Glob, system: str) -> bool:
        asked.append((glob.pattern, system))
        return matches(glob, system)

    monkeypatch.setattr(Glob, "matches", counted)
    names = [f"system-{number:04}" for number in range(2_000)]
    covering = Covering([*((name, name) for name in names), *((f"{name}-*", name) for name in names), ("*-eu", "eu")])
    ids = Ids(names)
    assert [covering.of(name) for name in names] == [(name,) for name in names]
    assert all(ids.any_matching(name) for name in names)
    assert not any(ids.any_matching(f"{name}-*") for name in names)
    assert not ids.any_matching("*-eu")
    assert asked == []
    assert covering.of("system-0001-eu") == ("system-0001", "eu")
    assert len(asked) == 2


PERSON = "kind: Person\nid: ada@example.org\nname: Ada\n"
PARTIES = "parties: {provider: {signatory: ada@example.org}, consumer: {team: b}}\n"


def contract(name: str, covers: str, version: str = "1") -> str:
    return (
        f'kind: Contract\nid: {name}\nversion: "{version}"\nseam: operations\ncovers: [{covers}]\n{PARTIES}'
        "clauses:\n  - {id: a, kind: approval}\n"
    )


def test_an_estate_finds_its_contracts_by_id_and_by_glob(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "---\n".join(
            [PERSON, contract("own", "model-7"), contract("all", '"model-*", model-7'), contract("eu", '"*-eu"')]
        )
    )
    estate = Estate.load(tmp_path)
    assert [c.id for c in estate.contracts_for("model-7", 0)] == ["all", "own"]
    assert [c.id for c in estate.contracts_for("model-7-eu", 0)] == ["all", "eu"]
    assert [c.id for c in estate.contracts_for("other", 0)] == ["defaults"]
    assert [c.version for c in estate.versions_of("own")] == ["1"]
    assert estate.versions_of("nobody") == ()


def test_what_looks_like_a_document_and_cannot_be_read_is_told(tmp_path: Path) -> None:
    estate, elsewhere = tmp_path / "estate", tmp_path / "elsewhere"
    (estate / "inner").mkdir(parents=True)
    (estate / ".hidden").mkdir()
    elsewhere.mkdir()
    (elsewhere / "notes.txt").write_text("no document")
    (estate / "inner" / "p.YAML").write_text(PERSON)
    (estate / ".hidden" / "x.yaml").write_text("not: read\n")
    (estate / "gone.yml").symlink_to(elsewhere / "nothing")
    (estate / "linked").symlink_to(elsewhere)
    (estate / "notes.txt").write_text("no document")
    loaded = load(estate)
    assert [read.id for read in loaded.reads] == ["ada@example.org"]
    assert [str(problem).removeprefix(f"{estate}/") for problem in loaded.problems] == [
        "gone.yml:1: is no file that can be read, or a link that leads nowhere",
        "linked:1: warning: is a link to a folder, which is not followed: name that folder itself",
    ]
    assert load_folder(estate)[0] is None


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/a.yaml", "b.yaml", "a-b.yaml", "a/z.yml", "a.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PERSON.replace("ada@", name.replace("/", ".") + "@"))
    names = [read.written.file.removeprefix(f"{tmp_path}/") for read in load(tmp_path).reads]
    assert names == sorted(names, key=lambda name: name.split("/"))


def test_contracts_without_a_file_of_signatures_are_unsigned_and_the_others_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\n".join([PERSON, contract("b", "x"), contract("a", "y")]))
    (tmp_path / "c.yaml").write_text(contract("c", "z"))
    (tmp_path / "c.yaml.sig").write_text("# nobody yet\n")
    assert unsigned_of(load(tmp_path).reads) == ("a", "b", "c")


def test_many_names_are_named_in_part() -> None:
    from console.naming import some_of

    assert some_of(["a", "b"]) == "a, b"
    assert some_of([f"n{number}" for number in range(2_000)]) == "n0, n1, n2, n3, n4 and 1,995 more"
