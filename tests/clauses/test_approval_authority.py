"""The clause `approval` takes for approved what the gate does: given with authority, signed where there are keys."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents import Contract, Estate, Person, System
from seamwatch.documents.approving import approval_statement, why_void
from seamwatch.documents.estate import Term
from seamwatch.engine.seams import seam_of
from seamwatch.signatures import approval_bytes, sign

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
CONTRACT = Contract.model_validate(
    {"kind": "Contract", "id": "pact", "version": "1", "seam": "operations", "covers": ["scorer"],
     "parties": {"provider": {}, "consumer": {}}, "clauses": [{"id": "only", "kind": "approval"}]}
)  # fmt: skip


def person(name: str, key: bytes | None = None, **more: str) -> Person:
    public = None if key is None else Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    keys = [] if public is None else [{"key_id": "k", "public": b64encode(public).decode(), **more}]
    return Person.model_validate({"kind": "Person", "id": name, "name": name, "keys": keys})


def system(approval: dict[str, Any], **more: Any) -> System:
    return System.model_validate(
        {"kind": "System", "id": "scorer", "type": "model", "owner": "owner", **more,
         "versions": [{"version": "v1", "approvals": [{"id": "A", "use_case": "credit", **approval}]}]}
    )  # fmt: skip


def signed(key: bytes, **approval: Any) -> System:
    """The system whose approval ``risk`` signed by a key."""
    fields = {"approved_by": "risk", **approval}
    plain = system(fields)
    version = plain.versions[0]
    written = plain.written["versions"][0]["approvals"][0]
    message = approval_bytes(approval_statement(plain, version, version.approvals[0], written, "risk", "k"))
    entry = {"person": "risk", "key_id": "k", "signature": b64encode(sign(message, key)).decode()}
    return system({**fields, "signatures": [entry]})


def counts(declared: System, *persons: Person) -> bool:
    """Whether the approval counts, to the rule and to the clause alike."""
    known = {one.id: one for one in persons}
    estate = Estate(known, {"scorer": declared}, (Term(CONTRACT),))
    (version,) = seam_of(estate, CONTRACT, "scorer").versions
    assert bool(version.approvals) == (why_void(declared, 0, 0, known) is None)
    return bool(version.approvals)


def test_authority_is_what_the_document_says_and_else_not_the_owner_s() -> None:
    people = person("owner"), person("risk"), person("else")
    assert not counts(system({}), *people)
    assert not counts(system({"approved_by": "owner"}), *people)
    assert counts(system({"approved_by": "risk"}), *people)
    assert counts(system({"approved_by": "owner"}, approvers=["owner"]), *people)
    assert counts(system({"approved_by": "risk"}, approvers=["risk", "else"]), *people)
    assert not counts(system({"approved_by": "risk"}, approvers=["else"]), *people)
    assert not counts(system({"approved_by": "nobody"}), *people)
    assert counts(system({"approved_by": "risk"}))  # a single file that is read knows nobody


@pytest.mark.parametrize(
    ("validity", "approval", "holds"),
    [
        ({}, {}, True),
        ({}, {"approved_at": "2026-01-08"}, True),
        ({"revoked_at": "2026-02-01"}, {"approved_at": "2026-01-08"}, True),  # what was signed before stays signed
        ({"revoked_at": "2026-01-01"}, {"approved_at": "2026-01-08"}, False),
        ({"not_before": "2026-02-01"}, {"approved_at": "2026-01-08"}, False),
        ({"revoked_at": "2026-02-01"}, {}, False),  # nobody could say that it was given before
    ],
)
def test_an_approver_with_keys_signs_by_one_that_was_valid(validity: Any, approval: Any, holds: bool) -> None:
    assert counts(signed(KEY, **approval), person("risk", KEY, **validity)) is holds


def test_neither_another_key_nor_another_text_nor_nobody_s_signature_counts() -> None:
    risk = person("risk", KEY)
    assert not counts(system({"approved_by": "risk"}), risk)
    assert not counts(signed(OTHER), risk)
    edited = signed(KEY).written["versions"][0]["approvals"][0] | {"use_case": "insurance"}
    assert not counts(system(edited), risk)


def test_a_plan_notices_that_an_approver_s_keys_changed() -> None:
    declared = signed(KEY)
    one, other = (Estate({"risk": p}, {"scorer": declared}) for p in (person("risk", KEY), person("risk", OTHER)))
    assert one.same_approvals(Estate(dict(one.persons), {"scorer": declared}), "scorer")
    assert not one.same_approvals(other, "scorer")
    assert [len(e.versions_for("scorer")[0].approvals) for e in (one, other)] == [1, 0]
