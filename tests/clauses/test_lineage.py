"""Lineage: only the agreed sources, attested by a known person, as often as agreed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import HOUR
from seamwatch.judging.model.facts import Violation
from seamwatch.signatures import refresh_bytes, sign
from tests.clauses.history import at, brief, contract, found, record_of

SOURCES = contract("claims", """- {id: sources, kind: lineage, include: ["claims-*"], exclude: [claims-old]}""")
EVERY = contract("claims", "- {id: sources, kind: lineage, refresh_every: 26h}")
ATTESTED = contract("claims", "- {id: sources, kind: lineage, attested: true}")
PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
SIGNER = f"""---
apiVersion: seamwatch/v1
kind: Person
id: steward@example.org
name: Example Steward
keys: [{{key_id: k1, public: "{PUBLIC}"}}]
"""
COLLEAGUE = """---
apiVersion: seamwatch/v1
kind: Person
id: colleague@example.org
name: Example Colleague
"""
DATASET = """---
apiVersion: seamwatch/v1
kind: System
id: claims
type: dataset
owner: owner@example.org
"""
BY_STEWARD = contract("claims", "- {id: sources, kind: lineage, attested: true, by: [steward@example.org]}")


def refresh(offset: str, *sources: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": "claims", "data_as_of": at(offset),
        "row_count": 10, "sources": list(sources), "event_id": f"r{offset}", **fields,
    }  # fmt: skip


def test_a_source_is_a_breach_from_its_first_refresh_to_the_first_without_it() -> None:
    events = [
        refresh("1h", "claims-core"),
        refresh("2h", "claims-core", "broker"),
        refresh("3h", "broker", "claims-old"),
        refresh("4h", "claims-core", "claims-old"),
    ]
    violations = found(SOURCES, events)
    assert brief(violations) == [("broker", "breach", "resolved", 2 * HOUR), ("claims-old", "breach", "open", 3 * HOUR)]
    assert violations[0].resolved_at == at("4h")
    assert [[e.event_id for e in v.evidence] for v in violations] == [["r2h", "r3h"], ["r3h", "r4h"]]
    assert "'broker', which is not among the agreed sources" in violations[0].summary
    assert "agreed to be left out" in violations[1].summary


def test_a_refresh_that_names_no_source_is_a_breach_where_sources_were_agreed() -> None:
    assert brief(found(SOURCES, [refresh("1h")])) == [("claims", "breach", "open", HOUR)]
    assert found(EVERY, [refresh("1h")]) == []


def test_the_refresh_clock_runs_out_in_silence_and_ends_with_a_refresh() -> None:
    assert found(EVERY, [refresh("1h")], now="26h59m") == []
    open_one = found(EVERY, [refresh("1h")], now="9d")
    assert brief(open_one) == [("claims", "breach", "open", 27 * HOUR)]
    assert (open_one[0].limit, open_one[0].since) == (93_600, at("1h"))
    ended = found(EVERY, [refresh("1h"), refresh("30h"), refresh("50h")])
    assert [(v.state, v.resolved_at) for v in ended] == [("resolved", at("30h"))]
    assert open_one[0].violation_id == ended[0].violation_id


def test_a_refresh_is_attested_by_who_signs_for_a_party_or_whom_the_clause_names() -> None:
    for who in ("owner@example.org", "second@example.org"):
        assert found(ATTESTED, [refresh("1h", attested_by=who)]) == []
    nobody, stranger, colleague = (
        found(ATTESTED + COLLEAGUE, [refresh("1h", attested_by=who)])
        for who in (None, "stranger@example.org", "colleague@example.org")
    )
    assert "names nobody" in nobody[0].summary
    assert "for owner@example.org or second@example.org to attest, not for stranger@" in stranger[0].summary
    assert "not for colleague@example.org" in colleague[0].summary


def test_whom_the_clause_names_attests_and_nobody_else() -> None:
    named = contract("claims", "- {id: sources, kind: lineage, attested: true, by: colleague@example.org}") + COLLEAGUE
    assert found(named, [refresh("1h", attested_by="colleague@example.org")]) == []
    (violation,) = found(named, [refresh("1h", attested_by="owner@example.org")])
    assert "for colleague@example.org to attest, not for owner@example.org" in violation.summary


def test_an_excluded_source_is_excluded_however_it_is_spelt_and_an_agreed_one_is_named_as_agreed() -> None:
    for name in ("claims-old ", " Claims-Old", "CLAIMS-OLD\t"):
        (violation,) = found(SOURCES, [refresh("1h", name)])
        assert "agreed to be left out" in violation.summary
    (violation,) = found(SOURCES, [refresh("1h", " Claims-core")])
    assert "differs from the agreed 'claims-*' by blanks or capitals" in violation.summary


def test_a_declared_dataset_that_never_came_is_found() -> None:
    other = refresh("1h") | {"system": "another"}

    def of_claims(*events: dict[str, Any], now: str = "41h") -> list[Violation]:
        return [v for v in found(EVERY + DATASET, [other, *events], now=now) if v.system == "claims"]

    assert of_claims(now="26h") == []
    (violation,) = of_claims(now="30h")
    assert "claims: never refreshed in the 26 h since 2026-03-02 01:00:00 UTC" in violation.summary
    assert [(v.state, v.resolved_at) for v in of_claims(refresh("40h"))] == [("resolved", at("40h"))]
    assert of_claims(refresh("2h"), now="27h30m") == []


def test_who_has_keys_must_sign_exactly_what_is_published() -> None:
    event = refresh("1h", "claims-core", attested_by="steward@example.org", key_id="k1")
    signature = b64encode(sign(refresh_bytes(record_of(event)[1]), PRIVATE)).decode()
    assert found(BY_STEWARD + SIGNER, [event | {"signature": signature}]) == []
    for fault in ({}, {"signature": signature, "row_count": 11}, {"signature": signature, "sources": ["other"]}):
        (violation,) = found(BY_STEWARD + SIGNER, [event | fault])
        assert "no valid signature of steward@example.org" in violation.summary


def test_where_selects_the_refreshes_that_are_checked() -> None:
    text = """- {id: sources, kind: lineage, include: [core], where: "version = 'full'"}"""
    events = [refresh("1h", "other", version="delta"), refresh("2h", "other"), refresh("3h", "other", version="full")]
    assert brief(found(contract("claims", text), events)) == [("other", "breach", "open", 3 * HOUR)]
