"""What people ask of changes: each is announced, signed and answered by those it concerns, and none goes unseen.

Held here: change notices with a clock for each acknowledger, thresholds that the model lead co-signs, objections that
reach whoever announced the change, coverage that a reviewer confirms, summaries with receipts, configurations told by
the part that changed, scores that shift although nobody announced anything, contracts that are signed, and a gate
that names what a hand-over lacks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from console.reach import processes
from tests.stories.conftest import Estate, command
from tests.stories.lending import AGREED, REWORDED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _of(estate: Estate, clause: str, slice_: str | None) -> dict[str, Any]:
    (found,) = [v for v in estate.violations(clause, "lender") if v["slice"] == slice_]
    return found


def _page(estate: Estate, person: str, *words: str) -> str:
    """The first page of a person that has all of the words."""

    def found() -> list[str]:
        return [page for page in estate.pages(person) if all(word in page for word in words)]

    estate.until(lambda: bool(found()), f"{person} was not told of {words}")
    return found()[0]


def test_who_was_asked_about_a_change_and_said_nothing_is_told_and_a_late_answer_ends_it(estate: Estate) -> None:
    told = _of(estate, "told", "LEND-7/sales@example.org")
    assert (told["severity"], told["person"]) == ("breach", "sales@example.org")
    waiting = [row["person"] for row in estate.rows("acknowledgements", "--waiting") if row["reference"] == "LEND-7"]
    assert sorted(waiting) == ["modeller@example.org", "sales@example.org"]
    page = _page(estate, "sales", "has not acknowledged model change LEND-7 within 4 h")
    assert "seamwatch ack LEND-7 --as sales@example.org" in page

    answered = estate.run("ack", "LEND-7", "--as", "sales@example.org")
    assert answered.returncode == 0, answered.stderr
    assert "the provider moved us to another host" in answered.stdout
    estate.until(lambda: _of(estate, "told", "LEND-7/sales@example.org")["state"] == "resolved", "not heard")
    assert _of(estate, "told", "LEND-7/modeller@example.org")["state"] == "open", "each answers for themselves"


def test_sales_cannot_move_the_line_without_the_model_lead(estate: Estate, tmp_path: Path) -> None:
    move = ("announce", "threshold", "--system", "lender", "--from", "0.5", "--to", "0.4", "--as", "sales@example.org")
    refused = estate.run(*move)
    assert refused.returncode == 1
    assert "the contract asks for the signature of modeller@example.org" in refused.stderr

    draft = tmp_path / "line.json"
    assert estate.run(*move, "--id", "LINE-1", "--draft", str(draft)).returncode == 0
    assert estate.run("announce", "--file", str(draft), "--as", "sales@example.org").returncode == 1
    signed = estate.run("cosign", str(draft), "--as", "modeller@example.org", "--key", str(estate.key))
    assert signed.returncode == 0, signed.stderr
    announced = estate.run("announce", "--file", str(draft), "--as", "sales@example.org")
    assert announced.returncode == 0, announced.stderr
    assert "seamwatch ack LINE-1 --as sales@example.org" in announced.stdout

    stranger = estate.run("ack", "LINE-1", "--as", "audit@example.org")
    assert (stranger.returncode, "is no acknowledger of changes of lender" in stranger.stderr) == (1, True), (
        stranger.stderr
    )
    unsigned = estate.run("ack", "LINE-1", "--as", "modeller@example.org")
    assert (unsigned.returncode, "give --key FILE" in unsigned.stderr) == (2, True), unsigned.stderr
    answer = estate.run("ack", "LINE-1", "--as", "modeller@example.org", "--key", str(estate.key))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "modeller@example.org acknowledges change LINE-1 of lender", "nothing hangs"
    (uncounted,) = estate.rows("acknowledgements", "--refused", "--person", "audit@example.org")
    assert uncounted["reference"] == "LINE-1"


def test_an_answer_that_comes_before_the_record_has_the_change_waits_for_it(estate: Estate) -> None:
    recorder = processes(estate.data)["record"]
    os.kill(recorder, signal.SIGSTOP)
    goes_on = Timer(2, os.kill, (recorder, signal.SIGCONT))  # by then the last command has asked in vain
    try:
        announced = estate.run(
            "announce", "provider", "--system", "lender", "--to", "3", "--as", "risk@example.org", "--id", "LEND-9",
            "--summary", "a third host",
        )  # fmt: skip
        assert announced.returncode == 0, announced.stderr
        unseen = estate.run("ack", "LEND-9", "--as", "sales@example.org", "--wait", "0s")
        assert (unseen.returncode, "'LEND-9' is on record" in unseen.stderr) == (1, True), unseen.stderr
        goes_on.start()
        withdrawn = estate.run("withdraw", "LEND-9", "--as", "risk@example.org")
        assert withdrawn.returncode == 0, withdrawn.stderr
    finally:
        goes_on.cancel()
        with suppress(ProcessLookupError):  # one that was away for longer than its session ends, and is started anew
            os.kill(recorder, signal.SIGCONT)


def test_a_line_that_was_moved_all_the_same_is_told_with_both_names(estate: Estate) -> None:
    line = _of(estate, "line", None)
    assert line["observed"] == 0.45
    assert "the decision 'admit' was given, against the agreed condition score >= 0.5" in line["summary"]

    moved = estate.run(
        "announce", "threshold", "--system", "lender", "--to", "0.45", "--as", "sales@example.org", "--id", "LINE-2",
        "--unsigned",
    )  # fmt: skip
    assert moved.returncode == 0, moved.stderr

    def told() -> list[str]:
        return [v["summary"] for v in estate.violations("line", "lender") if v["slice"] == "LINE-2"]

    estate.until(lambda: bool(told()), "the unsigned change was not told")
    assert told() == [
        "lender: threshold change LINE-2 by sales@example.org lacks a valid signature of modeller@example.org"
    ]


def test_an_objection_reaches_whoever_announced_the_change_and_a_withdrawal_ends_it(estate: Estate) -> None:
    announced = estate.run(
        "announce", "provider", "--system", "lender", "--to", "2", "--as", "risk@example.org", "--id", "LEND-8",
        "--summary", "the next host",
    )  # fmt: skip
    assert announced.returncode == 0, announced.stderr

    def asked() -> bool:
        return "LEND-8" in {row["reference"] for row in estate.rows("acknowledgements", "--waiting")}

    estate.until(asked, "the change is not on record")
    note = "not before the audit"
    objected = estate.run("ack", "LEND-8", "--as", "sales@example.org", "--object", "--note", note)
    assert objected.returncode == 0, objected.stderr
    page = _page(estate, "risk", "sales@example.org objects to provider change LEND-8", note)
    assert "seamwatch withdraw LEND-8 --as risk@example.org" in page
    assert not any("objects" in page for page in estate.pages("sales")), "nobody is paged with their own objection"

    withdrawn = estate.run("withdraw", "LEND-8", "--as", "risk@example.org", "--note", "after the audit")
    assert withdrawn.returncode == 0, withdrawn.stderr
    slice_ = "LEND-8/sales@example.org"
    estate.until(lambda: _of(estate, "told", slice_)["state"] == "resolved", "the withdrawal did not end it")


def test_another_prompt_under_the_same_version_is_told_by_the_part_that_changed(estate: Estate) -> None:
    (approved,) = estate.violations("approved-only", "lender")
    assert approved["summary"].endswith("which was approved: prompt changed")
    unannounced = _of(estate, "told", REWORDED)
    assert unannounced["summary"].endswith("a version or configuration that nobody announced")
    compared = command("config", "compare", AGREED, REWORDED)
    assert (compared.returncode, "prompt" in compared.stdout) == (1, True)


def test_the_reviewer_confirms_that_what_is_asserted_still_covers_the_product(estate: Estate) -> None:
    assert _of(estate, "covered", "LEND-7")["person"] == "audit@example.org"
    page = _page(estate, "audit", "has not confirmed that the assertions still cover the product since change LEND-7")
    assert "seamwatch attest coverage 'lending#covered' --system lender --as audit@example.org" in page
    wrong = estate.run("attest", "coverage", "lending#covered", "--as", "risk@example.org")
    assert (wrong.returncode, "it is for audit@example.org to attest" in wrong.stderr) == (1, True), wrong.stderr
    done = estate.run("attest", "coverage", "lending#covered", "--as", "audit@example.org")
    assert done.returncode == 0, done.stderr
    estate.until(lambda: _of(estate, "covered", "LEND-7")["state"] == "resolved", "the confirmation was not heard")


def test_the_summary_of_what_was_asserted_reaches_its_reviewer_and_its_receipt_is_on_record(estate: Estate) -> None:
    assert "did not hold" in _of(estate, "reasons", None)["summary"]
    overdue = _of(estate, "reasons", "summary")
    assert overdue["person"] == "risk@example.org", "the next person, not the one who was sent it"
    assert "audit@example.org has not confirmed the summary" in overdue["summary"]

    def sent() -> dict[str, str]:
        """The summaries, by the end of their period."""
        pages = [page for page in estate.pages("audit") if "To confirm that you have it:" in page]
        return {page.partition(" UTC to ")[2][:19]: page for page in pages}

    estate.until(lambda: len(sent()) >= 2, "no second summary was sent")
    counts = [re.findall(r"held for (\d+) of (\d+) events", page)[0] for page in sent().values()]
    assert sum(int(events) - int(held) for held, events in counts) == 1, "the one decision without a reason"
    newest = sent()[max(sent())]
    (reference,) = re.findall(r"seamwatch ack (\S+) --as audit@example.org", newest)
    received = estate.run("ack", reference, "--as", "audit@example.org")
    assert received.returncode == 0, received.stderr
    estate.until(lambda: _of(estate, "reasons", "summary")["state"] == "resolved", "the receipt was not heard")


def test_scores_that_shift_although_nobody_announced_anything_are_told_within_minutes(estate: Estate) -> None:
    (shift,) = [v for v in estate.violations("as-approved", "lender") if v["unit"] == "share"]
    assert shift["summary"].endswith("audit@example.org reviews the threshold")
    (overdue,) = [v for v in estate.violations("as-approved", "lender") if v["unit"] != "share"]
    assert overdue["person"] == "audit@example.org"
    drift = estate.run("drift", "--system", "lender", "--json")
    assert (drift.returncode, json.loads(drift.stdout)["drift"]) == (1, "drifting")
    assert json.loads(drift.stdout)["unit"] == "share", "how far the scores moved, not how late the review is"
    assert {day["open_drift_episodes"] for day in estate.rows("signals", "--system", "lender")} <= {1}

    done = estate.run("attest", "review", "lending#as-approved", "--as", "audit@example.org")
    assert done.returncode == 0, done.stderr

    def states() -> list[str]:
        return [v["state"] for v in estate.violations("as-approved", "lender") if v["unit"] != "share"]

    estate.until(lambda: states() == ["resolved"], "the review was not heard")


def test_a_contract_that_the_model_lead_has_not_signed_is_refused_until_she_has(estate: Estate, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(estate.contracts, folder)

    def missing() -> set[str]:
        done = estate.run("gate", "lender", "--contracts", str(folder), "--version", "1", "--json")
        assert done.returncode == 1
        findings = json.loads(done.stdout)["findings"]
        return {finding["reason"] for finding in findings if finding["rule"] == "signature"}

    assert any("modeller@example.org" in reason for reason in missing())
    file = str(folder / "lending.yaml")
    signed = command("contracts", "sign", file, "--as", "modeller@example.org", "--key", str(estate.key))
    assert (signed.returncode, "lending@1 as co-signer of line" in signed.stdout) == (0, True)
    assert not any("modeller@example.org" in reason for reason in missing())
    # Another line under her signature is not what she signed.
    (folder / "lending.yaml").write_text(Path(file).read_text().replace("when: score >= 0.5", "when: score >= 0.4"))
    assert any("modeller@example.org" in reason for reason in missing())


def test_the_gate_names_each_point_that_a_hand_over_lacks_and_another_owner(estate: Estate, tmp_path: Path) -> None:
    manifest = tmp_path / "deployment.yaml"
    manifest.write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: lender\n  labels: {seamwatch.dev/system: lender}\n"
        f"  annotations: {{seamwatch.dev/owner: sales@example.org, seamwatch.dev/version: '1',"
        f" seamwatch.dev/config-digest: '{AGREED}'}}\n"
    )
    done = estate.run("gate", "lender", "--contracts", str(estate.contracts), "--manifest", str(manifest), "--json")
    assert done.returncode == 1
    findings = json.loads(done.stdout)["findings"]
    lacking = " ".join(finding["reason"] for finding in findings if finding["rule"] == "handoff")
    for point in ("benchmark", "runbook", "lineage map", "monitoring agreement", "scheduled review", "risk-registry"):
        assert point in lacking
    (owner,) = [finding["reason"] for finding in findings if finding["rule"] == "manifest-owner"]
    assert "sales@example.org" in owner
    assert "risk@example.org" in owner
