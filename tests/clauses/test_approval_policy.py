"""The clause `approval` takes an approval for none while it falls short of the risk policy of the event's time."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.columnar.expressions import polars_expression
from seamwatch.documents import Estate, Person, RiskPolicy, System
from seamwatch.documents.approving import approval_statement, declared_versions
from seamwatch.documents.terms import policy_terms_of
from seamwatch.documents.tiers import tier_terms
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.approved import Served, allowing, conditions, why_not
from seamwatch.signatures import approval_bytes, sign
from tests.clauses.history import at, contract, decision, found

POLICY = """
kind: RiskPolicy
id: model-risk
version: "1"
effective_from: 2026-03-03
signatories: [owner@example.org]
tiers:
  - {tier: high, approvals: [{at_least: 2}]}
  - {tier: never, ai_act: prohibited}
"""
LOOSER = POLICY.replace('"1"', '"2"').replace("2026-03-03", "2026-03-05").replace("at_least: 2", "at_least: 1")
THIRD = "\nkind: Person\nid: third@example.org\nname: T\n"
PACT = contract("scorer", "- {id: only, kind: approval, quiet: 1h}")


def documents(tier: str, approval: str, *policies: str) -> str:
    system = (
        f"\nkind: System\nid: scorer\ntype: model\nowner: owner@example.org\nrisk_tier: {tier}\n"
        f"versions:\n  - {{version: v1, approvals: [{{id: A, use_case: credit, {approval}}}]}}\n"
    )
    return "---".join((PACT, THIRD, system, *policies))


def judged(tier: str, approval: str, *policies: str) -> list[Violation]:
    days = [f"{day}d1h" for day in range(5)]
    return found(documents(tier, approval, *policies), [decision(day) for day in days], "5d")


ALONE = "approved_by: second@example.org"
BESIDE = "approved_by: second@example.org, co_approvers: [third@example.org]"


def test_too_few_count_only_until_the_policy_is_in_force() -> None:
    opened = judged("high", ALONE, POLICY, LOOSER)
    assert [v.opened_at for v in opened] == [at("1d1h"), at("2d1h")]
    assert opened[0].summary == (
        "scorer serves version v1 for credit since 2026-03-03 01:00:00 UTC without an approval in force: approval A is "
        "by second@example.org alone, and tier 'high' of risk policy model-risk@1 asks for 2 persons"
    )


def test_enough_count_and_the_owner_is_none_of_them() -> None:
    assert judged("high", BESIDE, POLICY) == []
    owner = "approved_by: second@example.org, co_approvers: [owner@example.org]"
    assert [v.opened_at for v in judged("high", owner, POLICY)][:1] == [at("1d1h")]


def test_of_a_prohibited_tier_nothing_counts() -> None:
    first = judged("never", BESIDE, POLICY)[0]
    assert first.summary.endswith("is of a system in tier 'never' of risk policy model-risk@1, which is prohibited")


def test_the_rule_and_the_condition_over_columns_say_the_same_at_every_border() -> None:
    policies = [RiskPolicy.model_validate(_yaml(text)) for text in (POLICY, LOOSER)]
    terms = tuple(policy_terms_of((policy, None) for policy in policies))
    system = System.model_validate(
        {"kind": "System", "id": "scorer", "type": "model", "owner": "o", "risk_tier": "high",
         "versions": [{"version": "v1", "approvals": [{"id": "A", "use_case": "credit", "approved_by": "p"}]}]}
    )  # fmt: skip
    versions = declared_versions(system, {}, tier_terms(terms, system))
    (condition,) = conditions(versions, "inference")
    borders = [at("1d"), at("3d")]
    for moment in (border + step for border in borders for step in (-1, 0, 1)):
        frame = pl.DataFrame({"version": ["v1"], "use_case": ["credit"]}).with_columns(
            pl.Series("event_time", [moment]).cast(pl.Datetime("us", "UTC"))
        )
        (holds,) = frame.select(polars_expression(condition, "inference", "boolean")).to_series().to_list()
        allowed = allowing(versions, Served("v1", None, "credit", moment)) is not None
        assert allowed is holds
        assert allowed is not (borders[0] <= moment < borders[1])
    assert why_not(versions, Served("v1", None, "credit", borders[0])).startswith("approval A is by p alone")


def test_another_policy_is_another_plan() -> None:
    policy = RiskPolicy.model_validate(_yaml(POLICY))
    system = System.model_validate({"kind": "System", "id": "s", "type": "model", "owner": "o", "risk_tier": "high"})
    other = System.model_validate({"kind": "System", "id": "t", "type": "model", "owner": "o", "risk_tier": "low"})
    systems = {"s": system, "t": other}
    one, two = (Estate({}, systems, policies=tuple(policy_terms_of(some))) for some in ([], [(policy, 1)]))
    assert [one.same_approvals(two, name) for name in systems] == [False, True]


def test_who_has_keys_signs_beside_others_too() -> None:
    key = bytes(range(32))
    public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    third = Person.model_validate(
        {"kind": "Person", "id": "third", "name": "T", "keys": [{"key_id": "k", "public": b64encode(public).decode()}]}
    )
    people = {"third": third, "second": Person.model_validate({"kind": "Person", "id": "second", "name": "S"})}
    approval: dict[str, Any] = {"id": "A", "use_case": "credit", "approved_by": "second", "co_approvers": ["third"]}

    def declared(**more: Any) -> System:
        return System.model_validate(
            {"kind": "System", "id": "scorer", "type": "model", "owner": "o", "risk_tier": "high",
             "versions": [{"version": "v1", "approvals": [{**approval, **more}]}]}
        )  # fmt: skip

    plain = declared()
    version = plain.versions[0]
    message = approval_bytes(approval_statement(plain, version, version.approvals[0], approval, "third", "k"))
    entry = {"person": "third", "key_id": "k", "signature": b64encode(sign(message, key)).decode()}
    terms = tuple(policy_terms_of([(RiskPolicy.model_validate(_yaml(POLICY)), None)]))
    short = [
        bool(declared_versions(one, people, tier_terms(terms, one))[0].approvals[0].short)
        for one in (
            plain, declared(signatures=[entry]), declared(signatures=[entry], evidence="other"),
            declared(signatures=[entry], co_approvers=["third", "second"]),
        )
    ]  # fmt: skip
    assert short == [True, False, True, True], "each signs who all of them are"


def _yaml(text: str) -> Any:
    from seamwatch.documents.reading import read_text

    return read_text(text, "policy.yaml")[0][0].content
