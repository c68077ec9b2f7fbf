"""Risk policies: what a tier demands, which version holds when, and what a system is short of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seamwatch.documents import Estate, RiskPolicy, load_folder
from seamwatch.documents.holding import gaps, policy_problems, standings
from seamwatch.documents.loading import load
from seamwatch.documents.people_and_systems import document_differences
from seamwatch.documents.publishing import Published, documents_of, published
from seamwatch.documents.template import template
from seamwatch.documents.tiers import tier_terms
from seamwatch.instants import parse_instant
from tests.clauses.history import PEOPLE

NOW = parse_instant("2026-06-01T00:00:00Z")
THIRD = "---\nkind: Person\nid: third@example.org\nname: T\n"
POLICY = """---
kind: RiskPolicy
id: model-risk
version: "1"
effective_from: 2026-03-01
signatories: [owner@example.org]
tiers:
  - tier: high
    ai_act: high-risk-annex-iii
    up_to: {amount: 500000, currency: EUR, per: day}
    approvals:
      - {at_least: 2}
      - {at_least: 1, of: [third@example.org]}
    clauses: [approval, range]
    review_every: 90d
  - {tier: low}
  - {tier: never, ai_act: prohibited}
"""
HIGH = """
risk_tier: high
exposure: {amount: 100000, currency: EUR, per: day}
review: {every: 30d, by: second@example.org}
"""
CONTRACT = """---
kind: Contract
id: pact
version: "1"
seam: operations
covers: [scorer]
parties: {provider: {signatory: owner@example.org}, consumer: {signatory: second@example.org}}
clauses:
  - {id: only, kind: approval}
  - {id: valid, kind: range, min: 0, max: 1}
"""
BOTH = "{id: A, use_case: credit, approved_by: second@example.org, co_approvers: [third@example.org]}"
ONE = "{id: A, use_case: credit, approved_by: second@example.org}"


def system(more: str = HIGH, approval: str = BOTH, name: str = "scorer") -> str:
    return (
        f"---\nkind: System\nid: {name}\ntype: model\nowner: owner@example.org\n{more}"
        f"\nversions:\n  - {{version: v1, approvals: [{approval}]}}\n"
    )


def folder(tmp_path: Path, *documents: str) -> Path:
    (tmp_path / "all.yaml").write_text(PEOPLE + THIRD + "".join(documents), "utf-8")
    return tmp_path


def estate(tmp_path: Path, *documents: str) -> Estate:
    return Estate.load(folder(tmp_path, *documents))


def short_of(tmp_path: Path, *documents: str, now: int = NOW) -> list[tuple[str, str]]:
    known = estate(tmp_path, *documents)
    return [(gap.word, gap.reason) for gap in gaps(known, known.systems["scorer"], now)]


def test_what_has_all_that_its_tier_asks_for_is_short_of_nothing(tmp_path: Path) -> None:
    assert short_of(tmp_path, POLICY, CONTRACT, system()) == []


def test_each_demand_that_is_not_met_is_said_with_the_tier_and_the_policy(tmp_path: Path) -> None:
    held = "tier 'high' of risk policy model-risk@1"
    assert short_of(tmp_path, POLICY, system("risk_tier: high", ONE)) == [
        ("exposure", f"does not say what is at stake, and {held} is for up to 500,000 EUR per day"),
        ("clauses", f"has no clause of kind range in any contract in force, which {held} asks for"),
        ("review", f"has no scheduled review, and {held} asks for one every 90 d"),
        (
            "approvers",
            (
                f"has approval A, which is by second@example.org alone, and {held} asks for 2 persons and "
                "third@example.org"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("exposure", "said"),
    [
        ("{amount: 500000, currency: EUR, per: day}", None),
        ("{amount: 500000.01, currency: EUR, per: day}", "has 500,000.01 EUR per day at stake, and"),
        ("{amount: 1, currency: USD, per: day}", "has 1 USD per day at stake, which cannot be compared with the"),
        ("{amount: 1, currency: EUR, per: decision}", "has 1 EUR per decision at stake, which cannot be compared"),
    ],
)
def test_an_amount_is_within_the_limit_or_it_is_not_known_to_be(
    tmp_path: Path, exposure: str, said: str | None
) -> None:
    more = HIGH.replace("{amount: 100000, currency: EUR, per: day}", exposure)
    found = short_of(tmp_path, POLICY, CONTRACT, system(more))
    assert [reason.startswith(said or "") for _, reason in found] == ([True] if said else [])


def test_a_review_that_is_rarer_than_asked_is_short(tmp_path: Path) -> None:
    ((word, reason),) = short_of(tmp_path, POLICY, CONTRACT, system(HIGH.replace("30d", "91d")))
    assert (word, reason.split(",")[0]) == ("review", "is reviewed every 91 d")


def test_nothing_is_held_before_a_policy_is_in_force_and_then_by_the_newest(tmp_path: Path) -> None:
    later = POLICY.replace('version: "1"', 'version: "2"').replace("2026-03-01", "2026-09-01").replace("range", "rate")
    documents = (POLICY, later, CONTRACT, system())
    known = estate(tmp_path, *documents)
    border, begun = parse_instant("2026-09-01T00:00:00Z"), parse_instant("2026-03-01T00:00:00Z")
    assert [short_of(tmp_path, *documents, now=at) for at in (begun - 1, begun, border - 1)] == [[], [], []]
    ((word, reason),) = short_of(tmp_path, *documents, now=border)
    assert (word, "rate" in reason, "model-risk@2" in reason) == ("clauses", True, True)
    terms = tier_terms(known.policies, known.systems["scorer"])
    assert [(term.policy, term.since) for term in terms] == [("model-risk@1", begun), ("model-risk@2", border)]
    assert terms[0].until == border
    assert standings(known, begun - 1) == ()


def test_every_system_has_a_standing_and_what_is_not_known_is_not_held(tmp_path: Path) -> None:
    bare = "---\nkind: System\nid: {name}\ntype: {type}\nowner: owner@example.org\n{more}"
    known = estate(
        tmp_path, POLICY, CONTRACT, system(),
        bare.format(name="agent", type="agent", more=""), bare.format(name="data", type="dataset", more=""),
        bare.format(name="scraper", type="model", more="risk_tier: never\n"),
        bare.format(name="toy", type="model", more="risk_tier: low\n"),
    )  # fmt: skip
    assert [(one.system, one.tier, one.state) for one in standings(known, NOW, ["scorer", "stray"])] == [
        ("agent", None, "without tier"),
        ("scorer", "high", "held"),
        ("scraper", "never", "short"),
        ("stray", None, "unknown"),
        ("toy", "low", "held"),
    ]


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        (
            (POLICY, system("risk_tier: hihg")),
            "unknown tier 'hihg' of system 'scorer', which no risk policy has: did you",
        ),
        ((POLICY.replace("range]", "rnage]"),), "unknown kind 'rnage' of clause in tier 'high': did you mean 'range'?"),
        ((POLICY, POLICY.replace("model-risk", "other")), "tier 'high' is defined by risk policy 'model-risk' too"),
        ((POLICY.replace("tier: low", "tier: high"),), "tier 'high' is given twice in riskpolicy 'model-risk'"),
        ((POLICY.replace("of: [third", "of: [fourth"),), "unknown person 'fourth@example.org'"),
        ((POLICY.replace("at_least: 1, of", "at_least: 3, of"),), "at_least 3 of 1 persons can never be"),
        ((POLICY.replace("effective_from: 2026-03-01\n", ""),), "lacks 'effective_from'"),
        (
            (POLICY, POLICY.replace('"1"', '"2"')),
            "version '2' of risk policy 'model-risk' is in force from the same time",
        ),
        ((POLICY.replace("EUR", "euro"),), "'currency'"),
    ],
)
def test_what_cannot_be_meant_is_an_error_at_its_line(tmp_path: Path, documents: tuple[str, ...], said: str) -> None:
    found, problems = load_folder(folder(tmp_path, *documents))
    assert found is None
    assert any(said in problem.message and problem.line > 1 for problem in problems), [str(p) for p in problems]


def test_without_a_policy_a_tier_is_any_text(tmp_path: Path) -> None:
    known = estate(tmp_path, system("risk_tier: whatever"))
    assert (standings(known, NOW), list(gaps(known, known.systems["scorer"], NOW))) == ((), [])


def test_check_warns_at_the_line_of_what_is_short(tmp_path: Path) -> None:
    reads = load(folder(tmp_path, POLICY, CONTRACT, system(HIGH.replace("30d", "91d"), ONE))).reads
    found = list(policy_problems(reads, NOW))
    lines = (tmp_path / "all.yaml").read_text().splitlines()
    assert [(p.severity, lines[p.line - 1].strip()[:8]) for p in found] == [
        ("warning", "review: "), ("warning", "- {versio"[:8])
    ]  # fmt: skip
    assert found[1].message.endswith("have them approve it as well, and enter them as its 'co_approvers'")


def test_a_baseline_of_another_configuration_than_its_version_s_is_a_warning(tmp_path: Path) -> None:
    pinned = BOTH.replace("}", ", baseline: {evaluated_at: 2026-01-01, metrics: {gini: 1}, config_digest: sha256:b}}")
    for digest, told in (("sha256:a", 1), ("sha256:b", 0)):
        document = system("", pinned).replace("version: v1,", f"version: v1, config_digest: {digest},")
        found = [p for p in load_folder(folder(tmp_path, document))[1] if "pinned on configuration" in p.message]
        assert [p.severity for p in found] == ["warning"] * told


def test_what_is_published_is_the_policy_and_its_first_text_holds(tmp_path: Path) -> None:
    known = estate(tmp_path, POLICY, system())
    messages = published(documents_of(known), 7)
    assert {key for key, _ in messages} >= {"RiskPolicy/model-risk@1", "System/scorer"}
    again = Estate.of_published(messages)
    assert [(t.policy.digest, t.valid_from, t.published_at) for t in again.policies] == [
        (t.policy.digest, t.valid_from, 7) for t in known.policies
    ]
    (policy,) = (term.policy for term in known.policies)
    softer = RiskPolicy.model_validate({**policy.written, "tiers": [{"tier": "high"}]})
    said = Published()
    for key, value in (*messages, *published([softer], 8)):
        said.take(key, value)
    assert said.estate().policies == again.policies
    assert said.rewritten == {"RiskPolicy/model-risk@1"}


def test_an_unsigned_policy_is_not_followed_where_signatures_are_required(tmp_path: Path) -> None:
    said = Published(required=True)
    for key, value in published(documents_of(estate(tmp_path, POLICY, system())), 7):
        said.take(key, value)
    assert said.estate().policies == ()
    assert any("RiskPolicy/model-risk@1" in problem for problem in said.estate().problems)


def test_the_template_is_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(PEOPLE + "---\n" + template("RiskPolicy"), "utf-8")
    found: Any = load_folder(tmp_path)[0]
    assert [term.policy.id for term in found.policies] == ["model-risk"]


def test_what_changes_of_a_policy_is_told_by_tier(tmp_path: Path) -> None:
    known, softer = (
        estate(tmp_path, text).policies[0].policy
        for text in (POLICY, POLICY.replace("90d", "365d") + "  - {tier: new}\n")
    )
    (told,) = document_differences([known], [softer])
    assert [(part.name, part.what, part.before, part.after) for part in told.parts] == [
        ("tier high: review_every", "changed", "90d", "365d"),
        ("tier new", "added", None, {"tier": "new"}),
    ]
