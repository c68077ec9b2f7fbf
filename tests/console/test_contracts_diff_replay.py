"""`seamwatch contracts diff … --replay`: what another contract would have found in the same history."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from console.app import build
from console.comparing import COMPARED, compare
from seamwatch.errors import UsageError
from seamwatch.judging.model.facts import Violation
from tests.clauses.history import PEOPLE, contract, decision
from tests.sinks.samples import violation

HISTORY = [
    decision("1h", score=0.9, subject="a"),
    decision("2d", score=0.1),
    decision("5d", score=7.0),
    decision("7d", score=0.1),
    decision("9d", score=0.1, confidence=0.05),
]


def run(*arguments: Any) -> Result:
    result = CliRunner().invoke(build(), ["contracts", "diff", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path, Path]:
    """OLD as a folder, NEW as a single file that leaves its people to OLD, and a history."""
    (tmp_path / "old").mkdir()
    wide = "- {id: valid, kind: range, max: 1}\n- {id: sure, kind: human_review, below: 0.1}"
    (tmp_path / "old" / "all.yaml").write_text(PEOPLE + contract("scorer", wide))
    (tmp_path / "new.yaml").write_text(contract("scorer", "- {id: valid, kind: range, max: 0.8}"))
    (tmp_path / "history.ndjson").write_text("\n".join(map(json.dumps, HISTORY)))
    return tmp_path / "old", tmp_path / "new.yaml", tmp_path / "history.ndjson"


def test_it_tells_episodes_of_one_side_and_those_found_otherwise(sides: tuple[Path, Path, Path]) -> None:
    old, new, history = sides
    result = run(old, new, "--replay", history, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [c["id"] for c in told["contracts"][0]["clauses"]] == ["valid", "sure"]
    replayed = told["replay"]
    assert (replayed["events"], replayed["same"]) == (5, 0)
    assert [(v["clause"], v["opened_at"][:10]) for v in replayed["only_old"]] == [("sure", "2026-03-11")]
    assert [(v["clause"], v["opened_at"][:10]) for v in replayed["only_new"]] == [("valid", "2026-03-02")]
    (pair,) = replayed["otherwise"]
    assert pair["differing"] == ["limit"]
    assert (pair["old"]["limit"], pair["new"]["limit"]) == (1.0, 0.8)
    assert pair["old"]["violation_id"] == pair["new"]["violation_id"]


def test_people_get_a_table_and_what_changed(sides: tuple[Path, Path, Path]) -> None:
    old, new, history = sides
    lines = [" ".join(line.split()) for line in run(old, new, "--replay", history).stdout.splitlines()]
    assert "example valid 0 1 1 0" in lines
    assert "example sure 1 0 0 0" in lines
    assert "~ otherwise 2026-03-07 00:00:00 UTC valid scorer limit 1 → 0.8" in lines
    assert lines[-1].endswith("1 episodes only by OLD, 1 only by NEW, 1 by both but otherwise, 0 the same")


def test_several_files_follow_the_option_and_equal_contracts_find_the_same(sides: tuple[Path, Path, Path]) -> None:
    old, _, history = sides
    lines = history.read_text().splitlines()
    first, second = history.with_name("1.ndjson"), history.with_name("2.ndjson")
    first.write_text("\n".join(lines[:3]))
    second.write_text("\n".join(lines[3:]))
    result = run(old, old, "--replay", first, second)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "the contracts are the same"
    assert result.stdout.splitlines()[-1].startswith("5 events")
    assert result.stdout.splitlines()[-1].endswith("2 the same")


def test_wrong_use_is_said(sides: tuple[Path, Path, Path]) -> None:
    old, new, history = sides
    with pytest.raises(UsageError, match="say --replay before it"):
        run(old, new, history)
    with pytest.raises(UsageError, match="are of a history"):
        run(old, new, "--since", "30d")
    with pytest.raises(UsageError, match="not both"):
        run(old, new, "--replay", history, "--from-store")


EPISODES = st.lists(
    st.builds(
        lambda number, start, length, severity, observed: violation(
            number, clause=f"c{number % 2}", opened_at=start, severity=severity, observed=observed,
            resolved_at=None if length is None else start + length,
        ),
        st.integers(0, 8), st.integers(0, 50), st.none() | st.integers(0, 20),
        st.sampled_from(["warning", "breach"]), st.sampled_from([1.0, 2.0]),
    ),
    unique_by=lambda v: v.violation_id, max_size=8,
)  # fmt: skip


@given(EPISODES, EPISODES)
def test_each_episode_is_told_once_and_a_pair_was_open_at_the_same_time(
    old: list[Violation], new: list[Violation]
) -> None:
    found = compare(old, new)
    pairs = [*found.otherwise, *found.same]
    for given_, alone, side in ((old, found.only_old, "old"), (new, found.only_new, "new")):
        told = [*alone, *(getattr(pair, side) for pair in pairs)]
        assert sorted(v.violation_id for v in told) == sorted(v.violation_id for v in given_)
    for pair in pairs:
        one, other = pair.old, pair.new
        apart = [a.resolved_at is not None and a.resolved_at < b.opened_at for a, b in ((one, other), (other, one))]
        assert one.violation_id == other.violation_id or (one.clause == other.clause and not any(apart))
    assert all(pair.differing for pair in found.otherwise)
    assert not any(pair.differing for pair in found.same)
    assert not compare(old, old).changes


def test_another_id_at_the_same_time_and_place_is_the_same_episode() -> None:
    one = violation(1, opened_at=10, resolved_at=20)
    later = replace(one, violation_id="other", opened_at=15, observed=1.0)
    found = compare([one], [later])
    assert [pair.differing for pair in found.otherwise] == [("opened_at", "observed")]
    assert set(COMPARED) >= {"opened_at", "observed", "limit"}
    assert not compare([one], [replace(later, opened_at=21, resolved_at=30)]).otherwise
