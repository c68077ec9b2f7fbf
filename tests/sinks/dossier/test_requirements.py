"""The requirements that are packaged are whole, and a file that is wrong is told of by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamwatch.errors import DocumentError, UsageError
from seamwatch.record_types import RECORD_TYPES
from sinks.dossier.asked import QUESTIONS
from sinks.dossier.requirements import packaged, read_requirements
from sinks.dossier.scope import OF_SYSTEM

GOOD = """\
id: own
title: Our own rules
version: "1"
applies:
  - to: us
    since: 2026-01-01
    by: the board
requirements:
  - number: "1"
    title: logs
    asks: logs are kept
    evidence:
      - question: ledger
        shows: how much
        not_shown: what
        nothing: none
    duty: look
    gap: no logs
"""


def read(folder: Path, text: str) -> str:
    (folder / "own.yaml").write_text(text)
    with pytest.raises(DocumentError) as error:
        read_requirements([folder])
    return str(error.value).removeprefix(f"{folder}/")


def test_what_is_asked_for_is_there() -> None:
    found = {source.id: source for source in packaged()}
    assert set(found) == {"eu-ai-act", "iso-42001", "nist-ai-rmf"}
    numbers = [each.number for each in found["eu-ai-act"].requirements]
    assert numbers == [f"Article {number}" for number in (12, 19, 26, 72, 73)]
    assert all(applies.since is None for name in ("iso-42001", "nist-ai-rmf") for applies in found[name].applies)


def test_no_requirement_promises_what_no_record_can() -> None:
    for source in packaged():
        assert "complian" not in source.model_dump_json().lower()


def test_ones_own_are_read(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    (source,) = read_requirements([tmp_path])
    assert source.requirements[0].evidence[0].question == "ledger"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("question: ledger", "question: legder", "own.yaml:13: there is no question 'legder': did you mean 'ledger'?"),
        ("    gap: no logs\n", "", "own.yaml:9: "),
        ("    duty: look", "    dutty: look", "own.yaml:17: unknown key 'dutty'"),
        ("    title: logs", "    title: ' '", "own.yaml:10: "),
        ("since: 2026-01-01", "since: soon", "own.yaml:6: "),
        ("id: own", "id: Own rules", "own.yaml:1: "),
        ("applies:", "applies: [", "own.yaml:"),
        (GOOD, "", "own.yaml:1: is empty"),
    ],
)
def test_a_file_that_is_wrong_is_told_of_by_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert said in read(tmp_path, GOOD.replace(before, after))


def test_what_is_there_twice_or_never_enough_is_refused(tmp_path: Path) -> None:
    item = GOOD[GOOD.index("      - question") : GOOD.index("    duty")]
    assert "the question 'ledger' is named twice" in read(tmp_path, GOOD.replace(item, item + item))
    whole = GOOD[GOOD.index("  - number") :]
    assert "the number '1' is there twice" in read(tmp_path, GOOD + whole)
    background = GOOD.replace("        nothing: none\n", "        nothing: none\n        alone: false\n")
    assert "no question of it is evidence alone" in read(tmp_path, background)
    assert "'own' is there already" in read(tmp_path, f"{GOOD}---\n{GOOD}")


def test_a_folder_without_any_is_no_folder_of_requirements(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_requirements([tmp_path / "none"])


def test_every_type_of_record_is_one_that_a_dossier_knows() -> None:
    of_no_system = {"measurement", "checkpoint", "dead_letter"}
    assert OF_SYSTEM.keys() | {"erasure"} == set(RECORD_TYPES) - of_no_system


def test_every_question_that_can_be_asked_is_the_name_of_a_module() -> None:
    folder = Path(__file__).parents[3] / "sinks" / "store" / "questions"
    modules = {file.stem for file in folder.glob("*.py")} | {file.parent.name for file in folder.glob("*/__init__.py")}
    assert QUESTIONS.keys() <= modules
