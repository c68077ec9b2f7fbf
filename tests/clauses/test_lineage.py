"""Lineage: only the agreed sources, attested by a known person, as often as agreed."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import HOUR
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


def test_a_refresh_must_be_attested_by_a_person_that_the_documents_know() -> None:
    assert found(ATTESTED, [refresh("1h", attested_by="owner@example.org")]) == []
    nobody, stranger = (found(ATTESTED, [refresh("1h", attested_by=who)]) for who in (None, "stranger@example.org"))
    assert "names nobody" in nobody[0].summary
    assert "stranger@example.org is nobody" in stranger[0].summary


def test_who_has_keys_must_sign_exactly_what_is_published() -> None:
    event = refresh("1h", "claims-core", attested_by="steward@example.org", key_id="k1")
    signature = b64encode(sign(refresh_bytes(record_of(event)[1]), PRIVATE)).decode()
    assert found(ATTESTED + SIGNER, [event | {"signature": signature}]) == []
    for fault in ({}, {"signature": signature, "row_count": 11}, {"signature": signature, "sources": ["other"]}):
        (violation,) = found(ATTESTED + SIGNER, [event | fault])
        assert "no valid signature of steward@example.org" in violation.summary


def test_where_selects_the_refreshes_that_are_checked() -> None:
    text = """- {id: sources, kind: lineage, include: [core], where: "version = 'full'"}"""
    events = [refresh("1h", "other", version="delta"), refresh("2h", "other"), refresh("3h", "other", version="full")]
    assert brief(found(contract("claims", text), events)) == [("other", "breach", "open", 3 * HOUR)]
