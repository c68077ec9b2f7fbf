"""Scenarios: those that come with Seamwatch are well, and what is wrong with one is told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.drilling.answering import Asked, at_terminal, check_people, meant, read_answers
from console.drilling.scenario import DEFAULT, Scenario, read_scenario, scenario_text, shipped
from seamwatch.durations import HOUR, MINUTE
from seamwatch.engine.seams import seam_of
from seamwatch.errors import UsageError
from tests.clauses.history import contract, estate_of

SYSTEM = "kind: System\nid: scorer\ntype: model\nowner: owner@example.org\n"
ESTATE = estate_of(f"{contract('scorer', '- {id: valid, kind: range, min: 0, max: 1}')}\n---\n{SYSTEM}")
SEAM = seam_of(ESTATE, ESTATE.contracts[0], "scorer")
WELL = """kind: Scenario
id: mine
title: Mine
story: It rained.
steps:
  - {id: told, check: paged, within: 5m}
  - {id: letter, by: owner, what: Write the letter., within: 1h}
  - {id: seen, by: second@example.org, what: Look.}
"""


def read(tmp_path: Path, text: str) -> Scenario:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    return read_scenario(str(file))


@pytest.mark.parametrize("name", shipped())
def test_what_comes_with_seamwatch_can_be_read_by_its_name(name: str) -> None:
    scenario = read_scenario(name)
    assert scenario.id == name
    assert {"paged", "taken", "runbook", "offline", "reconstructed"} == {s.check for s in scenario.steps if s.check}
    check_people(scenario, ESTATE, name)


def test_the_three_examples_and_the_default_are_shipped() -> None:
    assert shipped() == ("amplified-content", "basics", "leaked-data", "unequal-rejection")
    assert DEFAULT in shipped()
    assert [s.id for s in read_scenario("leaked-data").steps if s.by] == [
        "stop", "extent", "customers", "root-cause", "disclosure",
    ]  # fmt: skip


def test_one_of_our_own_is_read_from_its_file_and_lasts_as_long_as_its_steps(tmp_path: Path) -> None:
    scenario = read(tmp_path, WELL)
    assert [step.told for step in scenario.steps][1:] == ["Write the letter.", "Look."]
    assert scenario.limit_seconds == 4 * 3_600
    assert read(tmp_path, WELL.replace("within: 1h", "within: 4h")).limit_seconds == 8 * 3_600 + 600
    assert read(tmp_path, WELL.replace("within: 1h", "within: 30h")).limit_seconds == 24 * 3_600


@pytest.mark.parametrize(
    ("before", "after", "line", "why"),
    [
        ("check: paged", "check: pagd", 6, "'paged'"),
        ("title: Mine", "titel: Mine", 3, "titel"),
        ("check: paged", "check: paged, by: owner", 6, "either check"),
        (", what: Look.", "", 8, "say what is done"),
        ("id: letter", "id: told", 5, "two steps have the id 'told'"),
        ("within: 5m", "within: soon", 6, "soon"),
        ("kind: Scenario", "kind: Contract", 1, "'Scenario'"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(tmp_path: Path, before: str, after: str, line: int, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, WELL.replace(before, after, 1))
    assert why in str(refused.value)
    assert f"mine.yaml:{line}: " in str(refused.value)


def test_what_is_no_scenario_is_told(tmp_path: Path) -> None:
    for text, why in (
        ("", "0 documents"),
        (f"{WELL}---\n{WELL}", "2 documents"),
        ("- a\n", "no document"),
        ("a: [", "is not YAML"),
    ):
        with pytest.raises(UsageError, match=why):
            read(tmp_path, text)
    with pytest.raises(UsageError, match="did you mean 'leaked-data'"):
        scenario_text("leaked-dat")
    with pytest.raises(UsageError, match="cannot be read"):
        read_scenario("./nothing.yaml")


def test_a_person_whom_nobody_knows_is_told(tmp_path: Path) -> None:
    scenario = read(tmp_path, WELL.replace("by: second@example.org", "by: secnd@example.org"))
    with pytest.raises(UsageError, match=r"step 'seen' is for secnd@example.org.*did you mean 'second@example.org'"):
        check_people(scenario, ESTATE, "mine.yaml")


def test_roles_are_persons_of_the_documents() -> None:
    by = {role: meant(read_scenario("leaked-data").steps[0].model_copy(update={"by": role}), SEAM, ESTATE)
          for role in ("owner", "provider", "consumer", "lead@example.org")}  # fmt: skip
    assert by == {
        "owner": "owner@example.org", "provider": "owner@example.org", "consumer": "second@example.org",
        "lead@example.org": "lead@example.org",
    }  # fmt: skip


def test_answers_are_read_from_a_file(tmp_path: Path) -> None:
    scenario, file = read(tmp_path, WELL), tmp_path / "answers.yaml"
    file.write_text("letter: {said: sent, took: 40m}\nseen: {said: looked, by: owner@example.org}\n")
    answers = read_answers(file, scenario, ESTATE)
    letter, seen = (answers(Asked(step, None)) for step in scenario.steps[1:])
    assert letter is not None
    assert (letter.said, letter.took, letter.by) == ("sent", 40 * MINUTE, None)
    assert seen is not None
    assert (seen.took, seen.by) == (None, "owner@example.org")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("letter: {said: sent}\nleter: {said: sent}\n", 2, "no step 'leter' of mine is for a person"),
        ("told: {said: yes}\n", 1, "no step 'told' of mine is for a person"),
        ("letter: {}\n", 1, "lacks 'said'"),
        ("letter: {said: x, took: soon}\n", 1, "soon"),
        ("letter: {said: x, by: nobody@example.org}\n", 1, "nobody that the documents know"),
        ("- a\n", 1, "is no mapping"),
    ],
)
def test_answers_that_are_none_are_told_at_their_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    scenario, file = read(tmp_path, WELL), tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_answers(file, scenario, ESTATE)
    assert f"answers.yaml:{line}: " in str(refused.value)
    assert why in str(refused.value)


def test_at_the_terminal_each_is_asked_for_and_timed(tmp_path: Path) -> None:
    said: list[str] = []
    times = iter((0.0, HOUR / 1e6, 0.0, 0.0))
    lines = iter(("written and sent", "  "))
    ask = at_terminal(said.append, lambda _prompt: next(lines), lambda: next(times))
    _, letter, seen = read(tmp_path, WELL).steps
    answer = ask(Asked(letter, "owner@example.org"))
    assert answer is not None
    assert (answer.said, answer.took) == ("written and sent", HOUR)
    assert ask(Asked(seen, None)) is None
    assert said == ["letter: Write the letter. (owner@example.org, within 1 h)", "seen: Look. (nobody is named)"]
