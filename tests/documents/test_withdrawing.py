"""Who withdraws a document is said, and signed, beside the message that does so."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents.withdrawing import Withdrawer, withdrawal_headers
from seamwatch.signatures import withdrawal_bytes
from tests.clauses.history import at, contract, estate_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ANN = "ann@example.org"


def signed(message: bytes) -> tuple[str | None, str | None]:
    return "ann-1", b64encode(KEY.sign(message)).decode()


def test_a_signed_withdrawal_can_be_checked_by_what_is_said_of_it() -> None:
    (document,) = estate_of(contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")).contracts
    said = dict(withdrawal_headers(document, Withdrawer(ANN, signed), at("1d")))
    assert {name: said[name] for name in ("withdrawn_by", "withdrawn_at", "key_id")} == {
        "withdrawn_by": ANN, "withdrawn_at": "2026-03-03T00:00:00Z", "key_id": "ann-1",
    }  # fmt: skip
    statement = {
        "kind": "Contract", "id": "example", "version": "1", "digest": document.digest, "person": ANN,
        "withdrawn_at": said["withdrawn_at"],
    }  # fmt: skip
    signature = b64decode(str(said["signature"]))
    KEY.public_key().verify(signature, withdrawal_bytes(statement))
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(signature, withdrawal_bytes(statement | {"version": "2"}))


def test_without_a_key_the_person_is_named_and_nothing_is_signed() -> None:
    (document,) = estate_of(contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")).contracts
    named = [("withdrawn_by", ANN), ("withdrawn_at", "2026-03-03T00:00:00Z")]
    assert withdrawal_headers(document, Withdrawer(ANN), at("1d")) == named
    assert withdrawal_headers(None, Withdrawer(ANN, signed), at("1d")) == named, "one that cannot be read"
