"""Versions of a contract: which governs which event times, and what contradicts itself in a folder."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Contract, Estate, load_folder
from seamwatch.documents.estate import BEGINNING, END, Term
from seamwatch.documents.terms import terms_of
from seamwatch.durations import DAY, MINUTE
from seamwatch.instants import format_instant, parse_instant

JAN, FEB, MAR = (parse_instant(f"2026-0{month}-01") for month in (1, 2, 3))
CONTRACT = """\
kind: Contract
id: feed
version: {version}
{said}seam: operations
covers: [scores]
parties: {{provider: {{}}, consumer: {{}}}}
clauses:
  - {{id: approved, kind: approval}}
---
"""


def text(version: str, said: str = "") -> str:
    return CONTRACT.format(version=version, said=said and said + "\n")


def version(name: str, effective_from: int | None = None) -> Contract:
    said = {} if effective_from is None else {"effective_from": format_instant(effective_from)}
    return Contract.model_validate(
        {
            "kind": "Contract", "id": "feed", "version": name, "seam": "operations", "covers": ["scores"],
            "parties": {"provider": {}, "consumer": {}}, "clauses": [{"id": "approved", "kind": "approval"}], **said,
        }
    )  # fmt: skip


def brief(terms: Sequence[Term]) -> list[tuple[str, int, int]]:
    return [(term.contract.version, term.valid_from, term.valid_to) for term in terms]


def errors(folder: Path, *documents: str) -> list[str]:
    file = folder / "x.yaml"
    file.write_text("".join(documents).removesuffix("---\n"))
    return [str(p).removeprefix(f"{file}:").replace(str(file), "x") for p in load_folder(folder)[1]
            if p.severity == "error"]  # fmt: skip


def test_versions_of_a_folder_govern_from_when_they_say(tmp_path: Path) -> None:
    later = [text("2", "effective_from: 2026-02-01"), text("3", "effective_from: 2026-03-01T00:00:00Z")]
    (tmp_path / "a.yaml").write_text(text("1"))
    (tmp_path / "b.yaml").write_text("".join(reversed(later)))
    estate = Estate.load(tmp_path)
    assert brief(estate.terms) == [("1", BEGINNING, FEB), ("2", FEB, MAR), ("3", MAR, END)]
    governs = [[c.version for c in estate.contracts_for("scores", at)] for at in (0, FEB - 1, FEB, MAR - 1, MAR)]
    assert governs == [["1"], ["1"], ["2"], ["2"], ["3"]]


def test_before_the_first_version_that_says_a_time_nothing_is_agreed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("1", "effective_from: 2026-02-01"))
    estate = Estate.load(tmp_path)
    assert [[c.id for c in estate.contracts_for("scores", at)] for at in (FEB - 1, FEB)] == [["defaults"], ["feed"]]


@pytest.mark.parametrize(
    ("published", "terms"),
    [
        # What says its time is in force from then on, whenever it was published: ahead, or after the fact.
        ([(version("1"), JAN), (version("2", MAR), FEB)], [("1", BEGINNING, MAR), ("2", MAR, END)]),
        ([(version("1"), JAN), (version("2", FEB), MAR)], [("1", BEGINNING, FEB), ("2", FEB, END)]),
        # What says none, from its publication.
        ([(version("1"), JAN), (version("2"), FEB)], [("1", BEGINNING, FEB), ("2", FEB, END)]),
        ([(version("1", JAN), JAN), (version("2"), FEB)], [("1", JAN, FEB), ("2", FEB, END)]),
        # A folder of both, published at once: the one that says no time reaches back.
        ([(version("1"), FEB), (version("2", MAR), FEB)], [("1", BEGINNING, MAR), ("2", MAR, END)]),
        # Of two from the same time the later publication governs.
        ([(version("1"), JAN), (version("2", MAR), JAN), (version("3", MAR), FEB)],
         [("1", BEGINNING, MAR), ("3", MAR, END)]),
    ],
)  # fmt: skip
def test_the_terms_of_published_versions(
    published: list[tuple[Contract, int]], terms: list[tuple[str, int, int]]
) -> None:
    for order in itertools.permutations(published):
        assert brief(list(terms_of(order))) == terms


@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6))
def test_terms_follow_one_another_without_gap_or_overlap(versions: list[tuple[int | None, int]]) -> None:
    known = [(version(str(number), at), published) for number, (at, published) in enumerate(versions)]
    terms = list(terms_of(known))
    assert terms[-1].valid_to == END
    assert all(before.valid_to == after.valid_from for before, after in itertools.pairwise(terms))
    assert all(term.valid_from < term.valid_to for term in terms)


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        (
            (text("1"), text("1", "effective_from: 2026-02-01")),
            ("12: version '1' of contract 'feed' is defined twice: first in x:3; give what was agreed anew another "
            "version"),
        ),
        (
            (text("1"), text("2")),
            ("12: contract 'feed': neither version '1' (x:3) nor version '2' says from when it is in force: give "
            "'effective_from' in all but the first"),
        ),
        (
            (text("1", "effective_from: 2026-02-01"), text("2", "effective_from: 2026-02-01T00:00:00Z")),
            "14: version '2' of contract 'feed' is in force from the same time as version '1' (x:4): only one can be",
        ),
        (
            (text("1.10", "effective_from: 2026-02-01").replace("1.10", "'1.10'"),
             text("1.9", "effective_from: 2026-03-01").replace("1.9", "'1.9'")),
            ("14: version '1.9' of contract 'feed' follows version '1.10', which is in force from 2026-02-01T00:00:00Z "
            "(x:4): number them in the order in which they come into force"),
        ),
        (
            (text("2"), text("1", "effective_from: 2026-03-01")),
            ("13: version '1' of contract 'feed' follows version '2', which reaches back without limit (x:3): number "
            "them in the order in which they come into force"),
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_said_at_its_line(tmp_path: Path, documents: tuple[str, ...], problem: str) -> None:
    assert errors(tmp_path, *documents) == [problem]


def test_versions_that_are_no_numbers_may_have_any_order(tmp_path: Path) -> None:
    assert errors(tmp_path, text("spring"), text("autumn", "effective_from: 2026-03-01")) == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("effective_from: soon", "4: 'effective_from' of contract 'feed': 'soon' is not a time"),
        ("lateness: 10", "4: 'lateness' of contract 'feed': 10 is not a duration"),
        ("lateness: 25h", "4: 'lateness' of contract 'feed': 25h is more than 1d"),
    ],
)
def test_a_time_or_lateness_that_cannot_be_is_said_at_its_line(tmp_path: Path, said: str, problem: str) -> None:
    (found,) = errors(tmp_path, text("1", said))
    assert found.startswith(problem)


def test_a_lateness_is_what_was_agreed_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("1", "lateness: 10m"))
    (known,) = Estate.load(tmp_path).contracts
    assert known.lateness == 10 * MINUTE
    assert version("1").lateness is None
    (tmp_path / "a.yaml").write_text(text("1", "lateness: 1d"))
    assert Estate.load(tmp_path).contracts[0].lateness == DAY
