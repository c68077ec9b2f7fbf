"""The demo itself, on real servers: every story is seen, a drill is held, and a replay of its events tells the same.

Slow: about a minute and a half, and up to four times as long on a machine that is busy, whose days are longer.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seamwatch.settings import load_settings
from sinks.store.client import Store
from stack.local import LocalStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(660)]

SAME = ("contract", "contract_version", "contract_digest", "clause", "kind", "system", "slice", "severity", "opened_at")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    # Where it does not end, what each of its threads stands in is worth more than that it stood.
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONFAULTHANDLER": "1"}
    demo = subprocess.Popen(
        [sys.executable, "-m", "console.app", "demo", "--json", "--keep"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = demo.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        demo.send_signal(signal.SIGABRT)
        pytest.fail(f"the demo does not end:\n{demo.communicate()[1][-20_000:]}")
    assert stdout, stderr[-2_000:]
    result: dict[str, Any] = json.loads(stdout)
    assert (demo.returncode == 0) == result["good"], stderr[-2_000:]
    return result


def test_every_expected_violation_came_was_paged_and_no_other_came(played: dict[str, Any]) -> None:
    assert [e for e in played["expected"] if e["missing"]] == []
    assert played["unexpected"] == []
    assert played["accounted"]
    assert played["good"], played["notes"]


def test_the_questions_are_answered_from_the_store(played: dict[str, Any]) -> None:
    answers = played["answers"]
    assert [row["system"] for row in answers["stale_decisions"]] == ["eligibility-model"]
    assert answers["stale_decisions"][0]["oldest_data_in_days"] > 9
    assert [row["system"] for row in answers["unregistered"]] == ["price-experiment"]
    assert {"risk-lead@example.org", "compliance@example.org", "eligibility-lead@example.org"} <= {
        row["person"] for row in answers["answers"]
    }
    assert "credit-operations@example.org" in {row["person"] for row in answers["no_answer"]}
    assert len(answers["on_the_hook"]) == len(played["violations"])
    assert sum(int(row["stored"]) for row in answers["account"]) == played["events"]
    assert sum(int(row["dead_letters"]) for row in answers["account"]) == 0


def test_what_it_recorded_verifies_and_each_of_its_violations_and_pages_can_be_proven(played: dict[str, Any]) -> None:
    folder = Path(played["folder"])
    settings = load_settings(data=folder).model_copy(update={"kafka": "127.0.0.1:9", "clickhouse": None})
    with LocalStack(folder, settings) as addresses:
        environment = {**os.environ, "SEAMWATCH_AUDITOR_URL": addresses.auditor, "SEAMWATCH_DATA": str(folder)}

        def run(*arguments: str) -> tuple[int, Any]:
            ended = subprocess.run(
                [sys.executable, "-m", "console.app", *arguments],
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert ended.returncode in (0, 1), ended.stderr[-2_000:]
            return ended.returncode, ended.stdout

        code, said = run("verify", "--json")
        report = json.loads(said)
        assert (code, report["findings"]) == (0, [])
        with Store(addresses.auditor, reading=True) as store:
            (held,) = store.rows("SELECT sum(count) AS rows, uniqExact(topic) AS topics FROM ledger_commit")
            pages = store.rows("SELECT violation_id FROM page WHERE result = 'delivered' ORDER BY sent_at LIMIT 1")
        assert (report["rows"], held["topics"] > 10) == (held["rows"], True)
        for option, about in [("--violation", played["violations"][0]["violation_id"])] + [
            ("--page", row["violation_id"]) for row in pages
        ]:
            proof = folder / f"proof{option}"
            assert run("evidence", option, about, "--out", str(proof))[0] == 0
            code, said = run("verify", "--proof", str(proof), "--json")
            assert (code, json.loads(said)["record"]["violation_id"]) == (0, about)


def test_a_drill_was_held_taken_on_and_passed_and_is_no_breach(played: dict[str, Any]) -> None:
    drill, folder = played["drill"], Path(played["folder"])
    report = drill["report"]
    assert (drill["code"], drill["missing"], report["passed"]) == (0, "", True), drill["said"]
    assert report["taken"]["person"] == "order-desk@example.org"
    assert {step["result"] for step in report["steps"]} == {"passed"}
    assert report["report"] in (folder / drill["file"]).read_text()
    (seen,) = (v for v in played["violations"] if v["violation_id"] == report["violation_id"])
    assert (seen["severity"], seen["state"], seen["acknowledged_by"]) == ("drill", "resolved", "order-desk@example.org")
    assert [v for v in played["violations"] if v["kind"] == "drill" and v["severity"] != "drill"] == []
    assert "DRILL" in (folder / "pages.txt").read_text()
    stated = [json.loads(line) for line in (folder / "events.ndjson").read_text().splitlines() if '"drill"' in line]
    begun, held = (event for event in stated if event["type"] == "attestation" and event["kind"] == "drill")
    assert [begun["key_id"], held["key_id"]] == ["continuity-demo"] * 2
    assert held["evidence_uri"] == report["report"] == json.loads(held["statement"])["report"]


def test_what_others_are_handed_holds(played: dict[str, Any]) -> None:
    verified, ready, dossier, checked, card = played["handed"]
    assert [each["good"] for each in played["handed"]] == [True] * 5, played["handed"]
    assert verified["said"][-1].endswith("all as signed")
    (tested,) = (line for line in ready["said"] if "was it tested by a drill?" in line)
    assert f"drill {played['drill']['report']['drill']} at" in tested
    assert tested.split("drill?")[1].split()[0] == "yes"
    assert "records of order-agent" in dossier["said"][-1]
    assert any(line.split()[:2] == ["attestation", "2"] for line in checked["said"])
    assert checked["said"][-1].strip() == "all as sealed and signed"
    assert any(line.split()[:2] == ["tool_call", "768"] for line in checked["said"])
    assert card["said"] == ["credit-model.html"]
    page = (Path(played["folder"]) / "credit-model.html").read_text()
    assert "a higher credit limit" in page
    scored = sum(row["stored"] for row in played["answers"]["account"] if row["record_type"] == "inference")
    assert 0 < int(re.search(r"([0-9,]+) decisions", page)[1].replace(",", "")) < scored  # type: ignore[index]


def test_a_replay_of_the_recorded_events_gives_the_same_violations(played: dict[str, Any]) -> None:
    folder = Path(played["folder"])
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "console.app",
            "replay",
            "--contracts",
            f"{folder}/contracts",
            f"{folder}/events.ndjson",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr[-2_000:]
    replayed = [json.loads(line) for line in ended.stdout.splitlines()]
    assert _comparable(replayed) == _comparable(played["violations"])


def _comparable(violations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        v["violation_id"]: {name: v[name] for name in SAME} | {"evidence": [e["event_id"] for e in v["evidence"]]}
        for v in violations
    }
