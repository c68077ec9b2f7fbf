"""Ed25519 signatures over events and documents: the bytes that are signed, signing, and verifying.

Canonical bytes are UTF-8 JSON with sorted keys, no white space and no escapes of non-ASCII characters, so that
another program can make them (docs/signatures.md has them with test vectors). Keys are held by whoever calls; nothing
here reads a file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seamwatch.errors import SignatureError

ACKNOWLEDGEMENT_FIELDS = ("answer", "event_time", "note", "of", "person", "reference", "system")
ATTESTATION_FIELDS = ("event_time", "evidence_uri", "kind", "metric", "person", "subject", "system", "value")
SUSPENSION_FIELDS = (
    "event_time", "evidence_uri", "person", "reason", "state", "system", "tool", "until", "version",
)  # fmt: skip
REFRESH_FIELDS = (
    "attested_by",
    "data_as_of",
    "event_time",
    "row_count",
    "schema_digest",
    "sources",
    "system",
    "version",
)
CHANGE_FIELDS = (
    "announced_by", "change_id", "config_digest", "effective_at", "from_value", "kind", "summary", "system", "to_value",
)  # fmt: skip
DOCUMENT_FIELDS = ("digest", "id", "key_id", "kind", "person", "signed_at", "version")
DOSSIER_FIELDS = ("as_of", "digest", "from", "key_id", "person", "system", "to")
WITHDRAWAL_FIELDS = ("digest", "id", "kind", "person", "version", "withdrawn_at")
APPROVAL_FIELDS = (
    "approved_at", "approved_by", "config_digest", "evidence", "expires", "id", "key_id", "person", "system",
    "use_case", "version",
)  # fmt: skip

APPROVAL_OPTIONAL_FIELDS = ("baseline", "co_approvers", "revoked_at")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key of a person (32 bytes) with its validity (micros)."""

    key_id: str
    public: bytes
    not_before: int | None = None
    revoked_at: int | None = None


def acknowledgement_bytes(record: Mapping[str, Any]) -> bytes:
    """What a person signs when acknowledging: the seven fields that say who answers what, and when (micros).

    And the digest of the announcement that is answered, where the answer gives it. A relay signs that it relays, and
    the digest of its evidence.
    """
    body = {name: record[name] for name in ACKNOWLEDGEMENT_FIELDS}
    if record.get("change_digest") is not None:
        body["change_digest"] = record["change_digest"]
    if record.get("relayed_by") is not None:
        body |= {"relayed_by": record["relayed_by"], "evidence_digest": evidence_digest(record)}
    return _canonical("acknowledgement", body)


def evidence_digest(record: Mapping[str, Any]) -> str | None:
    """SHA-256 of the evidence of a relayed acknowledgement, as 64 hex digits; None where there is none.

    Where the evidence itself is no longer kept, ``evidence_digest`` of the record says it.
    """
    evidence = record.get("evidence")
    if evidence is None:
        return record.get("evidence_digest")
    return hashlib.sha256(evidence.encode()).hexdigest()


def attestation_bytes(record: Mapping[str, Any]) -> bytes:
    """What a person signs when attesting; ``value`` as the 16 hex digits of its big-endian IEEE 754 double, or null.

    Programs print doubles in different ways; their bits are the same everywhere. And the statement, where it has one.
    """
    body = {name: record.get(name) for name in ATTESTATION_FIELDS}
    if body["value"] is not None:
        body["value"] = struct.pack(">d", body["value"]).hex()
    if record.get("statement") is not None:
        body["statement"] = record["statement"]
    return _canonical("attestation", body)


def refresh_bytes(record: Mapping[str, Any]) -> bytes:
    """What a person signs when attesting the lineage of a refresh; ``sources`` in the order of the event."""
    body = {name: record.get(name) for name in REFRESH_FIELDS}
    return _canonical("dataset_refresh", body | {"sources": list(record["sources"])})


def suspension_bytes(record: Mapping[str, Any]) -> bytes:
    """What a person signs when suspending or resuming: what of which system, since and until when (micros), and why."""
    return _canonical("suspension", {name: record.get(name) for name in SUSPENSION_FIELDS})


def change_bytes(record: Mapping[str, Any]) -> bytes:
    """What a co-signer of a change signs: the change, not when it is announced, so that it can be signed before.

    Who withdraws one signs that they do, and when (micros): it must not serve once more for what is announced later.
    """
    body = {name: record.get(name) for name in CHANGE_FIELDS}
    if record.get("withdrawn"):
        body |= {"withdrawn": True, "event_time": record["event_time"]}
    return _canonical("config_change", body)


def change_digest(record: Mapping[str, Any]) -> str:
    """What an announcement says, as 64 hex digits: the same for each repetition, another for another change.

    SHA-256 over what a co-signer of the change signs, with the environment it is for; not over when it is announced, by
    which producer, under which event_id, or with whose signatures.
    """
    body = {name: record.get(name) for name in (*CHANGE_FIELDS, "environment")}
    return hashlib.sha256(_canonical("announcement", body)).hexdigest()


def document_bytes(statement: Mapping[str, Any]) -> bytes:
    """What a person signs under a document: which one, its digest, who signs with which key, and when (RFC 3339 text).

    ``version`` is null for a document without one. The key and the time are signed too, so that neither can be changed
    afterwards to one that was valid.
    """
    return _canonical("document", {name: statement[name] for name in DOCUMENT_FIELDS})


def dossier_bytes(statement: Mapping[str, Any]) -> bytes:
    """What a person signs who vouches for a dossier: of which system and time, and the digest of its list of files."""
    return _canonical("dossier", {name: statement[name] for name in DOSSIER_FIELDS})


def withdrawal_bytes(statement: Mapping[str, Any]) -> bytes:
    """What a person signs who withdraws a document: which one, its digest, who does, and when (RFC 3339 text)."""
    return _canonical("withdrawal", {name: statement[name] for name in WITHDRAWAL_FIELDS})


def approval_bytes(statement: Mapping[str, Any]) -> bytes:
    """What a person signs under an approval: all that it says of which version and use case, times as written.

    ``revoked_at``, ``co_approvers`` and ``baseline`` only where there are any, so that what was signed without stays
    signed.
    """
    body = {name: statement.get(name) for name in APPROVAL_FIELDS}
    body |= {name: statement[name] for name in APPROVAL_OPTIONAL_FIELDS if statement.get(name) is not None}
    return _canonical("approval", body)


def _canonical(record_type: str, body: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": record_type, **body}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(message: bytes, private_key: bytes) -> bytes:
    """The 64-byte signature of a message by a private key of 32 raw bytes."""
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(message)


def verify(message: bytes, signature: bytes, key: PublicKey, at: int) -> None:
    """Returns when the signature holds and the key was valid at ``at`` (micros); raises SignatureError otherwise."""
    valid_at(key, at)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"the signature does not match key {key.key_id}") from error


def valid_at(key: PublicKey, at: int) -> None:
    """Returns when the key was valid at ``at`` (micros); raises SignatureError otherwise."""
    if key.not_before is not None and at < key.not_before:
        raise SignatureError(f"key {key.key_id} is not valid yet at the time of signing")
    if key.revoked_at is not None and at >= key.revoked_at:
        raise SignatureError(f"key {key.key_id} was revoked before the time of signing")


def acknowledgement_counts(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> bool:
    """Whether an acknowledgement binds: from a person without keys always, else only with a valid signature."""
    return acknowledgement_fault(record, keys) is None


def acknowledgement_fault(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> tuple[str, str] | None:
    """Why an acknowledgement does not bind, as a word and a sentence; None when it does.

    From a person without keys it always does. The words: ``unsigned``, ``unknown_key``, ``invalid_key`` (not valid at
    the time), ``wrong_signature``; ``relayed`` for one that another sends for them (where that may: `relay_fault`).
    """
    if record.get("relayed_by") is not None:
        return "relayed", "a relayed answer counts for violations only: answer by `seamwatch ack` or on the board"
    return _fault("answer", acknowledgement_bytes(record), record, keys)


def relay_fault(record: Mapping[str, Any], keys: Sequence[PublicKey] | None) -> tuple[str, str] | None:
    """Why a relayed acknowledgement does not bind, as above; ``keys`` are the relay's, None where it is no relay.

    A relay always signs, and shows what it relays. Further words: ``no_relay``, ``no_evidence``.
    """
    relay = record["relayed_by"]
    if keys is None:
        return "no_relay", f"{relay} is no published Person with the role relay"
    if evidence_digest(record) is None:
        return "no_evidence", f"{relay} shows nothing of what it relays"
    if not record.get("signature"):
        return "unsigned", f"the relay {relay} has not signed the answer"
    return _signature_fault("answer", acknowledgement_bytes(record), record, relay, keys)


def attestation_fault(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> tuple[str, str] | None:
    """Why an attestation does not bind, as a word and a sentence, by the same words; None when it does."""
    return _fault("attestation", attestation_bytes(record), record, keys)


def suspension_fault(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> tuple[str, str] | None:
    """Why a suspension, or a resumption, does not bind, as a word and a sentence; None when it does. As above."""
    what = "suspension" if record["state"] == "suspended" else "resumption"
    return _fault(what, suspension_bytes(record), record, keys)


def _fault(what: str, message: bytes, record: Mapping[str, Any], keys: Sequence[PublicKey]) -> tuple[str, str] | None:
    if not keys:
        return None
    if not record.get("signature"):
        return "unsigned", f"{record['person']} has published keys, and the {what} is not signed"
    return _signature_fault(what, message, record, record["person"], keys)


def _signature_fault(
    what: str, message: bytes, record: Mapping[str, Any], person: str, keys: Sequence[PublicKey]
) -> tuple[str, str] | None:
    name = record.get("key_id")
    key = next((key for key in keys if key.key_id == name), None)
    if key is None:
        return "unknown_key", f"the {what} is signed by key {name}, which is none of {person}"
    try:
        valid_at(key, int(record["event_time"]))
    except SignatureError as error:
        return "invalid_key", f"{person}: {error}"
    if not _signed_by(message, record, record, keys):
        return "wrong_signature", f"the signature is none of key {name} of {person} over this {what}"
    return None


def attestation_counts(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> bool:
    """Whether an attestation binds: from a person without keys always, else only with a valid signature."""
    return not keys or _signed_by(attestation_bytes(record), record, record, keys)


def refresh_counts(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> bool:
    """Whether a refresh's attestation of lineage binds, ``keys`` being those of who attests; as above."""
    return not keys or _signed_by(refresh_bytes(record), record, record, keys)


def change_signed_by(record: Mapping[str, Any], person: str, keys: Sequence[PublicKey]) -> bool:
    """Whether a change bears a valid signature of a person; without keys nobody's signature can be verified."""
    message = change_bytes(record)
    return any(s["person"] == person and _signed_by(message, record, s, keys) for s in record["signatures"])


def _signed_by(message: bytes, record: Mapping[str, Any], signed: Mapping[str, Any], keys: Sequence[PublicKey]) -> bool:
    signature = signed.get("signature")
    key = next((k for k in keys if k.key_id == signed.get("key_id")), None)
    if key is None or not signature:
        return False
    try:
        verify(message, b64decode(signature, validate=True), key, int(record["event_time"]))
    except (SignatureError, ValueError):
        return False
    return True
