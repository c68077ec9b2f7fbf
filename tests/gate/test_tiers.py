"""The gate holds a deployment to the tier of the risk policy that is in force."""

from __future__ import annotations

import re

import pytest

from console.gate.findings import RULES
from tests.gate.test_gate import FULL, judge, refusals, rules
from tests.signing.folder import Folder

POLICY = """\
kind: RiskPolicy
id: model-risk
version: "1"
effective_from: 2026-02-01
signatories: [risk@example.org]
tiers:
  - tier: high
    up_to: {amount: 1000, currency: EUR, per: day}
    approvals: [{at_least: 2}]
    clauses: [threshold]
    review_every: 90d
"""
TIERED = "use_cases: [credit-limit]\nrisk_tier: high\nexposure: {amount: 900, currency: EUR, per: day}\n"


@pytest.fixture
def held(folder: Folder) -> Folder:
    """The folder whose system is in a tier that asks for two approvers, and has them, signed."""
    (folder.path / "policy.yaml").write_text(POLICY)
    folder.edit("use_cases: [credit-limit]\n", TIERED)
    folder.edit("approved_by: risk@example.org,", "approved_by: risk@example.org, co_approvers: [product@example.org],")
    both = []
    for person in ("risk", "product"):
        folder.sign_approval(person)
        line = next(line for line in folder.contract.read_text().splitlines() if "id: CR-21," in line)
        both += re.findall(r"\{person:[^}]+\}", line)
    folder.edit(f"[{both[1]}]", f"[{', '.join(both)}]")
    return folder


def said(folder: Folder) -> list[str]:
    _, findings = judge(folder, *FULL)
    return [reason for rule, reason in refusals(findings) if rule == "risk-policy"]


def test_what_holds_to_its_tier_passes(held: Folder) -> None:
    assert "risk-policy" in RULES
    assert rules(held, *FULL) == []


def test_too_few_approvers_refuse_with_who_is_missing(held: Folder) -> None:
    held.edit(" co_approvers: [product@example.org],", "")
    held.sign_approval()
    assert said(held) == [
        (
            "approval CR-21 of version 2.1 of credit-model for credit-limit is by risk@example.org alone, and tier "
            "'high' of risk policy model-risk@1 asks for 2 persons"
        )
    ]


def test_who_has_keys_and_did_not_sign_beside_others_is_none_of_them(held: Folder) -> None:
    held.sign_approval()
    assert said(held)[0].startswith("approval CR-21 of version 2.1 of credit-model for credit-limit is by risk@example")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("risk_tier: high\n", "", "credit-model names no tier of the risk policy"),
        ("amount: 900", "amount: 1001", "credit-model has 1,001 EUR per day at stake"),
        ("exposure: {amount: 900, currency: EUR, per: day}\n", "", "credit-model does not say what is at stake"),
        ("every: 90d, by: risk", "every: 100d, by: risk", "credit-model is reviewed every 100 d"),
    ],
)
def test_each_gap_refuses(held: Folder, before: str, after: str, reason: str) -> None:
    held.edit(before, after)
    assert [text.startswith(reason) for text in said(held)] == [True]


def test_a_missing_kind_of_clause_refuses(held: Folder) -> None:
    held.edit("clauses: [threshold]", "clauses: [threshold, human_review]", "policy.yaml")
    assert [text.partition(" in any")[0] for text in said(held)] == ["credit-model has no clause of kind human_review"]


def test_before_the_policy_is_in_force_nothing_is_refused_for_it(held: Folder) -> None:
    held.edit("effective_from: 2026-02-01", "effective_from: 2026-09-01", "policy.yaml")
    held.edit("risk_tier: high\n", "")
    assert rules(held, *FULL) == []


def test_an_unknown_tier_is_an_error_of_the_documents(held: Folder) -> None:
    held.edit("risk_tier: high\n", "risk_tier: hihg\n")
    assert rules(held, *FULL)[:1] == ["document"]
