"""The gate refuses, each with a reason, a remedy and a place, and names everything at once."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.app import build
from console.gate import history
from console.gate.history import History
from console.keys import public_of, read_private_key
from seamwatch.testing import T0
from sinks.store.questions.suspended import SuspendedNow
from tests.signing.folder import Folder, run, set_clock
from tests.sinks.samples import violation

DIGEST = "sha256:9a4be271"
FULL = ("--version", "2.1", "--config-digest", DIGEST)


def judge(folder: Folder, *more: Any, offline: bool = True, stdin: str | None = None) -> tuple[int, list[Any]]:
    words = ["gate", "credit-model", "--contracts", str(folder.path), "--json", *map(str, more)]
    words += ["--offline"] if offline else []
    result = CliRunner().invoke(build(), words, input=stdin, catch_exceptions=False)
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
    assert {f["rule"] for f in findings} == {"store"}  # a warning: it was not asked


def test_a_key_that_nobody_vouched_for_refuses_where_its_owner_binds(folder: Folder, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(folder.path, before)
    one, two = (public_of(read_private_key(folder.key("lead", n))) for n in (1, 2))
    folder.edit(one, two, "people.yaml")
    folder.sign_with("lead", 2)
    assert rules(folder, *FULL) == []
    _, findings = judge(folder, *FULL, "--before", before)
    ((rule, reason),) = refusals(findings)
    assert rule == "key"
    assert reason.startswith("lead@example.org: key lead-1 was exchanged, and nobody vouched for it: lead@example.org")
    stranger = "---\nkind: Person\nid: else@example.org\nname: E\nkeys:\n  - {key_id: e, public: PUBLIC}\n"
    for path, key in ((before, one), (folder.path, two)):
        (path / "others.yaml").write_text(stranger.replace("PUBLIC", key))
    folder.edit(two, one, "people.yaml")
    folder.sign_with("lead", 1)
    assert rules(folder, *FULL, "--before", before) == []  # whose keys bind nothing here


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


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("https://example.org/runbook", "ask the owner", "'ask the owner' is no link, and no file is found by it"),
        ("https://example.org/runbook", '"  "', "a runbook is given, but is blank"),
        ("https://example.org/runbook", "https://", "is no link"),
        ("[bureau-extract]", '[bureau-extract, "TBD."]', "a lineage map is given, but 'TBD.' says nothing"),
        ("https://example.org/monitoring", "n/a", "a monitoring agreement is given, but 'n/a' says nothing"),
        ("RISK-12", "<todo>", "a risk-registry entry is given, but '<todo>' says nothing"),
        ("last: 2026-01-15", "last: 2026-03-03", "its last is to come: 2026-03-03 00:00:00 UTC"),
        ("{metric: gini,", '{metric: " ",', "a benchmark is given, but its metric is blank"),
    ],
)
def test_a_point_of_the_hand_over_that_says_nothing_is_named(
    folder: Folder, before: str, after: str, says: str
) -> None:
    folder.edit(before, after)
    code, findings = judge(folder, *FULL)
    (told,) = [f for f in findings if f["rule"] == "handoff"]
    assert (code, told["level"]) == (1, "error")
    assert says in told["reason"]
    assert told["remedy"]


def test_a_runbook_may_be_a_file_or_be_written_out(folder: Folder) -> None:
    (folder.path / "runbook.md").write_text("Call the desk.")
    folder.edit("https://example.org/runbook", "runbook.md")
    assert rules(folder, *FULL) == []
    folder.edit("runbook.md", "Stop the queue, call the desk, and decide by hand until it is mended.")
    assert rules(folder, *FULL) == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("{every: 90d, by: risk@example.org", "{every: 90d, by: gone@example.org", "unknown person 'gone@example.org'"),
        ("owner: lead@example.org", "owner: gone@example.org", "unknown person 'gone@example.org'"),
        ("{metric: gini, min: 0.55}", "{metric: gini}", "metric 'gini' has no threshold"),
    ],
)
def test_nobody_and_no_number_are_errors_of_the_document(folder: Folder, before: str, after: str, says: str) -> None:
    folder.edit(before, after)
    _, findings = judge(folder, *FULL)
    assert any(says in f["reason"] for f in findings if f["rule"] == "document")


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


def test_a_runbook_has_a_review_of_its_own_and_several_reviewers_are_asked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = "runbook_review: {every: 30d, by: [lead@example.org, risk@example.org], last: 2026-02-15}"
    folder.edit("registry_entry: RISK-12", f"registry_entry: RISK-12\n{schedule}")
    assert rules(folder, *FULL) == []
    set_clock(monkeypatch, "2026-03-20T00:00:00Z")
    _, findings = judge(folder, *FULL)
    (late,) = [finding for finding in findings if finding["rule"] == "review-overdue"]
    assert "the runbook of credit-model was last reviewed at 2026-02-15" in late["reason"]
    assert "seamwatch attest review runbook --system credit-model --as lead@example.org" in late["remedy"]


def test_a_bad_signature_under_an_approval_is_refused(folder: Folder) -> None:
    folder.edit("key_id: risk-1, signature: ", "key_id: risk-1, signature: AAAA")
    assert rules(folder, *FULL) == ["approval-signature"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("approved_by: risk@example.org, ", "", "does not say who approved"),
        ("approved_by: risk@example.org", "approved_by: lead@example.org", "is by lead@example.org alone, who owns"),
        ("owner: lead@example.org\n", "owner: lead@example.org\napprovers: [product@example.org]\n",
         "is by risk@example.org, who is none of the approvers"),
        ("approved_by: risk@example.org", "approved_by: nobody@example.org", "is no person of the documents"),
    ],
)  # fmt: skip
def test_an_approval_needs_somebody_with_authority_for_it(folder: Folder, before: str, after: str, told: str) -> None:
    folder.edit(before, after)
    _, findings = judge(folder, *FULL)
    found = [f["reason"] for f in findings if f["rule"] == "approval-authority"]
    assert len(found) == 1
    assert told in found[0]


def test_an_approval_is_signed_as_it_now_is(folder: Folder) -> None:
    folder.edit("expires: 2027-01-08", "expires: 2027-02-08")
    assert rules(folder, *FULL) == ["approval-signature"]
    folder.sign_approval()
    assert rules(folder, *FULL) == []
    folder.edit("config_digest: sha256:9a4be271", "config_digest: sha256:0000")
    assert rules(folder, "--version", "2.1", "--config-digest", "sha256:0000") == ["approval-signature"]


def test_remedies_that_sign_work_as_they_are_copied(folder: Folder) -> None:
    folder.signatures.write_text("")
    folder.edit("approved_at: 2026-01-08", "approved_at: 2026-01-09")
    _, findings = judge(folder, *FULL)
    commands = [command for f in findings for command in re.findall(r"`seamwatch ([^`]+)`", f["remedy"])]
    assert len(commands) > 2
    for command in commands:
        words = shlex.split(command)
        name = words[words.index("--as") + 1].partition("@")[0]
        words[words.index("PRIVATE_KEY_FILE")] = str(folder.key(name))
        assert run(*words).exit_code == 0, command
    folder.sign_approval()  # what it prints is entered by hand
    assert rules(folder, *FULL) == []


def test_who_has_no_keys_cannot_show_that_they_approved(folder: Folder) -> None:
    folder.edit("approved_by: risk@example.org", "approved_by: else@example.org")
    text = folder.contract.read_text()
    folder.contract.write_text(re.sub(r", signatures: \[.*?\]", "", text))
    (folder.path / "else.yaml").write_text("kind: Person\nid: else@example.org\nname: Example else\n")
    code, findings = judge(folder, *FULL)
    assert (code, refusals(findings)) == (0, [])
    assert "approval CR-21 is by else@example.org, who has no published keys: nobody can tell that they gave it" in [
        f["reason"] for f in findings if f["rule"] == "approval-signature"
    ]


@pytest.mark.parametrize("signal", ["latency", "accuracy", "drift", "abuse", "fallback"])
def test_a_signal_without_a_clause_is_a_gap(folder: Folder, signal: str) -> None:
    text = folder.contract.read_text().splitlines(keepends=True)
    folder.contract.write_text("".join(line for line in text if f"signal: {signal}" not in line))
    folder.sign("lead", "product", "risk")
    assert rules(folder, *FULL) == ["monitoring-gap"]


def test_a_store_that_nobody_named_refuses(folder: Folder) -> None:
    assert rules(folder, *FULL, offline=False) == ["store"]


def test_an_open_breach_refuses_unless_this_ends_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    episode = violation(violation_id="abc", contract="credit-limits", clause="fast", summary="credit-model is slow")
    monkeypatch.setattr(history, "ask", lambda _system, _now, _data: History([episode]))
    _, findings = judge(folder, *FULL, offline=False)
    (found,) = (f for f in findings if f["level"] == "error")
    assert found["rule"] == "open-breach"
    assert "id: fast" in Path(found["file"]).read_text().splitlines()[found["line"] - 1]
    assert rules(folder, *FULL, "--despite", "abc", offline=False) == []


@pytest.mark.parametrize(
    ("what", "level"),
    [({}, "error"), ({"version": "2.1"}, "error"), ({"version": "1.0"}, "warning"), ({"tool": "refund"}, "warning")],
)
def test_what_is_suspended_is_not_deployed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, what: dict[str, str], level: str
) -> None:
    given: dict[str, Any] = {
        "system": "credit-model", "version": None, "tool": None, "since": T0, "until": None,
        "person": "risk@example.org", "contract": None, "reason": "it refuses everybody",
        "suspension_id": "s", "violation_id": None,
    }  # fmt: skip
    row = SuspendedNow(**given | what)
    monkeypatch.setattr(history, "ask", lambda _system, _now, _data: History(suspended=[row]))
    _, findings = judge(folder, *FULL, offline=False)
    (found,) = (f for f in findings if f["rule"] == "suspended")
    assert found["level"] == level
    assert "by risk@example.org: “it refuses everybody”" in found["reason"]
    assert "seamwatch resume credit-model" in found["remedy"]


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
