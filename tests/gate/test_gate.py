"""The gate refuses, each with a reason, a remedy and a place, and names everything at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from console.commands import gate
from console.gate import history
from console.gate.history import History
from tests.signing.folder import Folder, set_clock

DIGEST = "sha256:9a4be271"
FULL = ("--version", "2.1", "--config-digest", DIGEST)


def judge(folder: Folder, *more: Any, offline: bool = True, stdin: str | None = None) -> tuple[int, list[Any]]:
    app = typer.Typer()
    gate.register(app)
    words = ["credit-model", "--contracts", str(folder.path), "--json", *map(str, more)]
    result = CliRunner().invoke(app, [*words, *(["--offline"] if offline else [])], input=stdin, catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)["findings"]


def refusals(findings: list[Any]) -> list[tuple[str, str]]:
    return [(f["rule"], f["reason"]) for f in findings if f["level"] == "error"]


def rules(folder: Folder, *more: Any, offline: bool = True) -> list[str]:
    code, findings = judge(folder, *more, offline=offline)
    found = [rule for rule, _ in refusals(findings)]
    assert code == bool(found)
    assert all(f["remedy"] and f["line"] >= 1 and Path(f["file"]).exists() for f in findings)
    return found


def test_what_is_handed_over_signed_approved_and_watched_passes(folder: Folder) -> None:
    code, findings = judge(folder, *FULL)
    assert code == 0
    assert {f["rule"] for f in findings} == {"store", "approval-signature"}  # warnings: not asked, not signed by risk


@pytest.mark.parametrize(
    ("before", "lacks"),
    [
        ("benchmark:\n  - {metric: gini, min: 0.55}\n", "a benchmark with thresholds"),
        ("runbook: https://example.org/runbook\n", "a runbook"),
        ("lineage: [bureau-extract]\n", "a lineage map"),
        ("monitoring_agreement: https://example.org/monitoring\n", "a monitoring agreement"),
        ("review: {every: 90d, by: risk@example.org, last: 2026-01-15}\n", "a scheduled review"),
        ("registry_entry: RISK-12\n", "a risk-registry entry"),
    ],
)
def test_each_point_of_the_hand_over_is_named(folder: Folder, before: str, lacks: str) -> None:
    folder.edit(before, "")
    _, findings = judge(folder, *FULL)
    assert refusals(findings) == [("handoff", f"the hand-over of credit-model lacks {lacks}")]


def test_a_missing_owner_is_named_although_the_document_is_broken(folder: Folder) -> None:
    folder.edit("owner: lead@example.org\n", "")
    folder.edit("runbook: https://example.org/runbook\n", "")
    assert sorted(rules(folder)) == ["document", "handoff", "handoff"]


def test_a_threshold_that_the_model_lead_did_not_co_sign_is_refused(folder: Folder) -> None:
    folder.edit("co_signers: [risk@example.org]", "co_signers: [risk@example.org, lead@example.org]")
    folder.edit("provider: {team: credit-models, signatory: lead@example.org}",
                "provider: {team: credit-models, signatory: risk@example.org}")  # fmt: skip
    folder.edit("score >= 0.62", "score >= 0.58")
    folder.sign("product", "risk")
    _, findings = judge(folder, *FULL)
    ((rule, reason),) = refusals(findings)
    assert (rule, "lead@example.org" in reason, "co-signer of line" in reason) == ("signature", True, True)
    assert "changed after" in reason
    folder.sign("lead")
    assert rules(folder, *FULL) == []


def test_an_unsigned_party_is_refused(folder: Folder) -> None:
    folder.signatures.unlink()
    assert rules(folder, *FULL) == ["signature"] * 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--version", "2.2"), ["approval-missing"]),
        (("--version", "2.1", "--config-digest", "sha256:other"), ["approval-missing"]),
        (("--use-case", "mortgage"), ["approval-missing"]),
        ((), []),
    ],
)
def test_approval_is_of_version_digest_and_use_case(folder: Folder, arguments: Any, expected: list[str]) -> None:
    assert rules(folder, *arguments) == expected


def test_every_declared_use_case_needs_one_and_no_digest_is_a_warning(folder: Folder) -> None:
    folder.edit("use_cases: [credit-limit]", "use_cases: [credit-limit, mortgage]")
    code, findings = judge(folder, "--version", "2.1", "--use-case", "credit-limit")
    assert (code, [f["rule"] for f in findings if f["rule"] == "digest"]) == (0, ["digest"])
    assert rules(folder) == ["approval-missing"]


def test_time_runs_out_for_approval_and_review(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, "2026-04-16T00:00:00Z")
    assert rules(folder, *FULL) == ["review-overdue"]
    set_clock(monkeypatch, "2027-01-08T00:00:00Z")
    assert sorted(rules(folder, *FULL)) == ["approval-expired", "review-overdue"]


def test_a_bad_signature_under_an_approval_is_refused(folder: Folder) -> None:
    bad = "signatures: [{person: risk@example.org, key_id: risk-1, signature: AAAA}]"
    folder.edit("expires: 2027-01-08}", f"expires: 2027-01-08, {bad}}}")
    assert rules(folder, *FULL) == ["approval-signature"]


@pytest.mark.parametrize("signal", ["latency", "accuracy", "drift", "abuse", "fallback"])
def test_a_signal_without_a_clause_is_a_gap(folder: Folder, signal: str) -> None:
    text = folder.contract.read_text().splitlines(keepends=True)
    folder.contract.write_text("".join(line for line in text if f"signal: {signal}" not in line))
    folder.sign("lead", "product", "risk")
    assert rules(folder, *FULL) == ["monitoring-gap"]


def test_a_store_that_nobody_named_refuses(folder: Folder) -> None:
    assert rules(folder, *FULL, offline=False) == ["store"]


def test_an_open_breach_refuses_unless_this_ends_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"violation_id": "abc", "contract": "credit-limits", "clause": "fast", "severity": "breach",
           "state": "open", "summary": "credit-model is slow"}  # fmt: skip
    monkeypatch.setattr(history, "ask", lambda _system, _data: History([row]))
    _, findings = judge(folder, *FULL, offline=False)
    (found,) = (f for f in findings if f["level"] == "error")
    assert found["rule"] == "open-breach"
    assert "id: fast" in Path(found["file"]).read_text().splitlines()[found["line"] - 1]
    assert rules(folder, *FULL, "--despite", "abc", offline=False) == []


MANIFEST = """\
kind: Service
metadata: {name: credit}
---
kind: Deployment
metadata: {name: credit, labels: {seamwatch.dev/system: credit-model}}
spec:
  template:
    metadata:
      annotations:
        seamwatch.dev/owner: lead@example.org
        seamwatch.dev/version: "2.1"
        seamwatch.dev/config-digest: sha256:9a4be271
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", []),
        ("owner: lead@", "owner: product@", ["manifest-owner"]),
        ("        seamwatch.dev/owner: lead@example.org\n", "", ["manifest-owner"]),
        ('"2.1"', '"3.0"', ["approval-missing"]),
        ('"2.1"', "2.1", ["manifest"]),
        ("system: credit-model", "system: other", ["manifest"]),
        ("spec:", "spec: [", ["manifest", "manifest"]),
    ],
)
def test_a_manifest_names_owner_and_version(folder: Folder, before: str, after: str, expected: list[str]) -> None:
    file = folder.path.parent / "deploy.yaml"
    file.write_text(MANIFEST.replace(before, after) if before else MANIFEST)
    assert rules(folder, "--manifest", file) == expected
    _, findings = judge(folder, "--manifest", "-", stdin=file.read_text())
    assert [rule for rule, _ in refusals(findings)] == expected


def test_sarif_names_each_finding_at_a_relative_place(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path.parent)
    folder.signatures.unlink()
    _, findings = judge(folder, *FULL, "--sarif", "gate.sarif")
    (run,) = json.loads(Path("gate.sarif").read_text())["runs"]
    assert len(run["results"]) == len(findings) > 3
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert Path(place["artifactLocation"]["uri"]).is_file()
        assert place["region"]["startLine"] >= 1
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_an_undeclared_system_is_refused(folder: Folder) -> None:
    folder.edit("id: credit-model\n", "id: credit-modal\n")
    assert rules(folder) == ["undeclared"]
