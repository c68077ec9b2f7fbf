"""`seamwatch replay`: violations on standard output, everything else on standard error, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from console.commands import replay
from seamwatch.errors import DocumentError, UsageError
from tests.clauses.history import PEOPLE, at, contract, decision

CLAUSES = "- {id: valid, kind: range, max: 1}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "example.yaml").write_text(PEOPLE + contract("scorer", CLAUSES), "utf-8")
    return tmp_path / "contracts"


def run(*arguments: str, stdin: str = "") -> Result:
    app = typer.Typer()
    replay.register(app)
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_violations_go_to_standard_output_and_make_the_exit_code(folder: Path) -> None:
    events = [decision("1h", score=0.5), decision("2h", score=7.0, event_id="bad")]
    result = run("--contracts", str(folder), "-", stdin="\n".join(json.dumps(e) for e in events))
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    violation = json.loads(line)
    assert (violation["opened_at"], violation["state"]) == ("2026-03-02T02:00:00.000000Z", "open")
    assert violation["evidence"] == [{"topic": None, "partition": None, "offset": None, "event_id": "bad"}]
    assert "not signed" in result.stderr


def test_silence_is_exit_code_zero(folder: Path) -> None:
    result = run("--contracts", str(folder), "-", stdin=json.dumps(decision("1h", score=0.5)))
    assert (result.exit_code, result.stdout) == (0, "")


def test_lines_that_hold_no_event_are_named_and_the_others_judged(folder: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.ndjson"
    history.write_text("\n".join(["{", json.dumps(decision("2h", score=7.0)), json.dumps({"type": "inferrence"})]))
    result = run("--contracts", str(folder), str(history))
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert f"{history}:1: not JSON" in result.stderr
    assert f"{history}:3: 'inferrence' is no type of event: did you mean 'inference'?" in result.stderr


def test_the_same_history_in_any_order_gives_the_same_lines(folder: Path) -> None:
    lines = [json.dumps(decision(f"{n}m", score=1.5 if n % 3 else 0.5, subject=str(n))) for n in range(1, 40)]
    forwards = run("--contracts", str(folder), "-", stdin="\n".join(lines))
    backwards = run("--contracts", str(folder), "-", stdin="\n".join(reversed(lines)))
    assert forwards.stdout == backwards.stdout != ""


def test_now_advances_the_clock(folder: Path) -> None:
    events = json.dumps(decision("2h", score=7.0))
    later = run("--contracts", str(folder), "--now", "2026-03-04T00:00:00Z", "-", stdin=events)
    assert json.loads(later.stdout)["state"] == "resolved"
    assert json.loads(later.stdout)["resolved_at"] == "2026-03-03T03:00:00.000000Z"
    assert at("2d") > at("1d3h")


def test_wrong_use_is_said_plainly(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--now"):
        run("--contracts", str(folder), "--now", "yesterday", "-")
    with pytest.raises(UsageError, match="cannot be read"):
        run("--contracts", str(folder), str(tmp_path / "missing.ndjson"))
    (folder / "example.yaml").write_text("kind: Contract\nid: [", "utf-8")
    with pytest.raises(DocumentError, match=r"example.yaml:\d+"):
        run("--contracts", str(folder), "-")
