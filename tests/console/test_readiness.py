"""`seamwatch readiness` over an estate with known gaps: a table, objects, and an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.app import main
from sinks.store.questions.readiness import QUESTIONS
from tests.sinks.store.questions.judged import AGENT, DATA, MODEL, STRAY, Judged, judged


@pytest.fixture(scope="module")
def day(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    with judged(clickhouse, tmp_path_factory.mktemp("readiness")) as made:
        yield made


@pytest.fixture
def asked(day: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", day.url)
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path / "data"))


@pytest.mark.usefixtures("asked")
def test_each_question_of_each_system_is_answered_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["readiness", "--json"])
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert ended.value.code == 1
    assert {(row["system"], row["question"]) for row in rows} == {
        (system, question) for system in (AGENT, DATA, MODEL, STRAY) for question in QUESTIONS
    }
    assert {row["answer"] for row in rows} == {"yes", "no", "not_known"}
    assert f"{MODEL}: 1 yes, 9 no (runbook, thresholds, " in said.err
    # A document of the day that cannot be used is told beside the answers.
    assert "Contract/ours/1" in said.err


@pytest.mark.usefixtures("asked")
def test_one_system_is_a_table_with_what_it_consists_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["readiness", STRAY])
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert all(asks in said for asks in QUESTIONS.values())
    assert AGENT not in said
    assert "not known (" in said
