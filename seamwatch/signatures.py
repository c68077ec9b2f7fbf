"""Ed25519 signatures over acknowledgements: the bytes that are signed, signing, and verifying.

Canonical bytes are UTF-8 JSON with sorted keys, no white space and no escapes of non-ASCII characters, so that
another program can make them. Keys are held by whoever calls; nothing here reads a file.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seamwatch.errors import SignatureError
from seamwatch.judging.seam import PublicKey

ACKNOWLEDGEMENT_FIELDS = ("answer", "event_time", "note", "of", "person", "reference", "system")


def acknowledgement_bytes(record: Mapping[str, Any]) -> bytes:
    """What a person signs when acknowledging: the seven fields that say who answers what, and when (micros)."""
    body = {"type": "acknowledgement", **{name: record[name] for name in ACKNOWLEDGEMENT_FIELDS}}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(message: bytes, private_key: bytes) -> bytes:
    """The 64-byte signature of a message by a private key of 32 raw bytes."""
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(message)


def verify(message: bytes, signature: bytes, key: PublicKey, at: int) -> None:
    """Returns when the signature holds and the key was valid at ``at`` (micros); raises SignatureError otherwise."""
    if key.not_before is not None and at < key.not_before:
        raise SignatureError(f"key {key.key_id} is not valid yet at the time of signing")
    if key.revoked_at is not None and at >= key.revoked_at:
        raise SignatureError(f"key {key.key_id} was revoked before the time of signing")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"the signature does not match key {key.key_id}") from error


def acknowledgement_counts(record: Mapping[str, Any], keys: Sequence[PublicKey]) -> bool:
    """Whether an acknowledgement binds: from a person without keys always, else only with a valid signature."""
    if not keys:
        return True
    signature = record.get("signature")
    key = next((k for k in keys if k.key_id == record.get("key_id")), None)
    if key is None or not signature:
        return False
    try:
        verify(acknowledgement_bytes(record), b64decode(signature, validate=True), key, int(record["event_time"]))
    except (SignatureError, ValueError):
        return False
    return True
