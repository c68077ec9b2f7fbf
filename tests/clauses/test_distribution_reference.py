"""A distribution's reference as a file: the same judgements as by period, its content published, its faults told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.app import build
from seamwatch.documents import Estate, digest_of, documents_of, published
from seamwatch.documents.loading import load_folder
from seamwatch.documents.reading import read_file
from seamwatch.instants import format_instant
from seamwatch.judging.model.text import violation_line
from streams.replay.replay import replay
from tests.clauses.history import PEOPLE, at, contract, decision, found, record_of, with_ids

BY_PERIOD = f"{{period: {{from: '{format_instant(at())}', to: '{format_instant(at('6h'))}'}}}}"
BY_FILE = "{file: approved/scores.yaml}"


def clause(reference: str, more: str = "") -> str:
    return f"- {{id: shape, kind: distribution, reference: {reference}, by: cohort{more}}}"


def history() -> list[dict[str, Any]]:
    """Eight hours at ten scores a minute of cohort a, and five of b, which shifts after seven."""
    rng = np.random.default_rng(1)
    events = []
    for minute in range(8 * 60):
        for number in range(15):
            cohort, shift = ("a", 0.0) if number < 10 else ("b", 1.0 if minute >= 420 else 0.0)
            score = float(np.clip(rng.normal(0.5 + 0.15 * shift, 0.15), 0, 1))
            offset = f"{minute * 60_000 + number * 1_000 + 1}ms"
            events.append(decision(offset, score=score, cohort=cohort, event_id=f"{minute}-{number}"))
    return events


def write_reference(folder: Path, events: list[dict[str, Any]], *more: str) -> Path:
    lines = [json.dumps(with_ids(event)) for event in events]
    (folder / "history.ndjson").write_text("\n".join(lines))
    file = folder / "contracts" / "approved" / "scores.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    command = ["contracts", "reference", "scorer", "--from", format_instant(at()), "--to", format_instant(at("6h"))]
    command += ["--by", "cohort", "--out", str(file), *more, str(folder / "history.ndjson")]
    assert build()(command, standalone_mode=False) == 0
    return file


def estate_folder(folder: Path, clauses: str) -> Path:
    contracts = folder / "contracts"
    contracts.mkdir(exist_ok=True)
    (contracts / "estate.yaml").write_text(PEOPLE + contract("scorer", clauses))
    return contracts


def test_a_reference_by_file_judges_as_one_by_period_does(tmp_path: Path) -> None:
    events = history()
    by_period = found(contract("scorer", clause(BY_PERIOD)), events)
    assert [v.slice for v in by_period] == ["b"]
    assert by_period[0].since is not None
    assert abs(by_period[0].since - at("7h")) <= 60_000_000 * 10
    write_reference(tmp_path, events)
    estate = Estate.load(estate_folder(tmp_path, clause(BY_FILE)))
    by_file = replay(estate, [record_of(event) for event in events])

    def told(violations: list[Any]) -> list[dict[str, Any]]:
        lines = [json.loads(violation_line(v)) for v in violations]
        return [{k: v for k, v in line.items() if k != "contract_digest"} for line in lines]

    assert told(by_file) == told(by_period)


def test_the_content_of_the_file_is_what_is_published_and_digested(tmp_path: Path) -> None:
    file = write_reference(tmp_path, history())
    before = Estate.load(estate_folder(tmp_path, clause(BY_FILE)))
    messages = published(documents_of(before), 1)
    after = Estate.of_published(messages)
    assert after.problems == ()
    assert after.contracts[0].digest == before.contracts[0].digest
    held = after.contracts[0].written["clauses"][0]["reference"]["histograms"]
    assert sum(sum(map(sum, part["hours"])) for part in held["slices"]) == 6 * 60 * 15
    file.write_text(file.read_text().replace("version: ", "version: ").replace("[0, 0, 0, 0,", "[1, 0, 0, 0,", 1))
    assert Estate.load(tmp_path / "contracts").contracts[0].digest != before.contracts[0].digest


def test_the_digest_is_of_the_contract_with_the_files_content_beside_its_name(tmp_path: Path) -> None:
    file = write_reference(tmp_path, history()[:15])
    folder = estate_folder(tmp_path, clause(BY_FILE))
    (written,) = (w for w in read_file(folder / "estate.yaml", "-")[0] if w.content["kind"] == "Contract")
    (shape,) = written.content["clauses"]
    ((histograms,), _) = read_file(file, "-")
    reference = {**shape["reference"], "histograms": histograms.content}
    whole = {**written.content, "clauses": [{**shape, "reference": reference}]}
    assert Estate.load(folder).contracts[0].digest == digest_of(whole) != digest_of(written.content)


@pytest.mark.parametrize(
    ("reference", "more", "told"),
    [
        ("{file: nowhere.yaml}", "", "estate.yaml:{here}: file 'nowhere.yaml' is not there"),
        ("{file: ../scores.yaml}", "", "estate.yaml:{here}: file '../scores.yaml' is to lie beside"),
        ("{file: estate.yaml}", "", "estate.yaml:{here}: file 'estate.yaml' is no file of histograms"),
        (BY_FILE, ", bins: 20", "estate.yaml:{here}: clause 'shape' (distribution): bins is 20 here and 25"),
        ("{}", "", "estate.yaml:{here}: clause 'shape' (distribution): reference is either a period"),
        ("{file: a.yaml, period: {from: 2026-01-01, to: 2026-01-02}}", "", "either a period"),
    ],
)
def test_a_wrong_reference_is_told_at_its_line(tmp_path: Path, reference: str, more: str, told: str) -> None:
    write_reference(tmp_path, history()[:15])
    folder = estate_folder(tmp_path, clause(reference, more))
    estate, problems = load_folder(folder)
    line = next(n for n, text in enumerate((folder / "estate.yaml").read_text().splitlines(), 1) if "shape" in text)
    assert estate is None
    assert any(told.removeprefix("estate.yaml:{here}: ") in str(p) for p in problems), problems
    if "{here}" in told:
        assert {p.line for p in problems if p.severity == "error"} == {line}


def test_a_fault_in_the_file_is_told_at_the_files_line(tmp_path: Path) -> None:
    file = write_reference(tmp_path, history()[:15])
    file.write_text(file.read_text().replace("bins: 25", "bins: many"))
    problems = load_folder(estate_folder(tmp_path, clause(BY_FILE)))[1]
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "many" in text)
    assert f"{file}:{line}: 'bins' of reference '' is 'many'" in str(problems[0])


def test_a_period_without_a_score_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "history.ndjson").write_text(json.dumps(decision("7h", score=0.5)))
    period = ["--from", format_instant(at()), "--to", format_instant(at("6h"))]
    command = ["contracts", "reference", "scorer", *period, str(tmp_path / "history.ndjson")]
    assert build()(command, standalone_mode=False) == 1
    assert "there is no score" in capsys.readouterr().err
