"""Sealing: one text of an event, encrypted for its subject, so that destroying one key makes it unreadable everywhere.

    seal1.<base64url of: key id (16 bytes), nonce (12), AES-256-GCM ciphertext and tag (16 more than the text)>

without padding. What the tag vouches for beside the text is where it belongs: "seamwatch/seal/v1", the subject, the
event's id and the name (``attributes.email``, ``arguments.iban``), each in UTF-8 after its length in four bytes,
big-endian. So a sealed text that is put into another event, another field or under another subject cannot be opened.
Pure: keys are held by whoever calls. docs/erasure.md has a test vector.
"""

from __future__ import annotations

import binascii
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from seamwatch.errors import SealError

PREFIX: Final = "seal1."
KEY_SIZE: Final = 32
KEY_ID_SIZE: Final = 16
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16
_PURPOSE: Final = "seamwatch/seal/v1"


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The key of one subject. ``key_id`` is random: it says nothing of the subject, and stays when the key is gone."""

    subject: str
    key_id: bytes
    key: bytes = field(repr=False)

    @classmethod
    def make(cls, subject: str) -> SubjectKey:
        """A new key."""
        return cls(subject, os.urandom(KEY_ID_SIZE), os.urandom(KEY_SIZE))


@dataclass(frozen=True, slots=True)
class SealContext:
    """Where a sealed text belongs: the field or argument ``name`` of an event."""

    event_id: str
    name: str


def seal(text: str, key: SubjectKey, place: SealContext, nonce: bytes | None = None) -> str:
    """The text, sealed for its place by the subject's key. ``nonce`` is for test vectors alone: never use one twice."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_SIZE) if nonce is None else nonce
    sealed = AESGCM(key.key).encrypt(nonce, text.encode(), _bound(key.subject, place))
    return PREFIX + urlsafe_b64encode(key.key_id + nonce + sealed).rstrip(b"=").decode()


def key_id_of(text: str) -> bytes | None:
    """The id of the key that a text is sealed by; None when it is not sealed."""
    content = _content(text)
    return None if content is None else content[:KEY_ID_SIZE]


def unseal(text: str, key: SubjectKey, place: SealContext) -> str:
    """The text that was sealed. Raises SealError when it was not sealed by this key, for this subject and place."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    content = _content(text)
    if content is None or content[:KEY_ID_SIZE] != key.key_id:
        raise SealError(f"{place.name} of {place.event_id} is not sealed by the key {key.key_id.hex()}")
    nonce, sealed = content[KEY_ID_SIZE : KEY_ID_SIZE + _NONCE_SIZE], content[KEY_ID_SIZE + _NONCE_SIZE :]
    try:
        return AESGCM(key.key).decrypt(nonce, sealed, _bound(key.subject, place)).decode()
    except InvalidTag:
        raise SealError(
            f"{place.name} of {place.event_id} was sealed for another event, field or subject, or was changed since"
        ) from None


def _content(text: str) -> bytes | None:
    if not text.startswith(PREFIX):
        return None
    encoded = text[len(PREFIX) :]
    try:
        content = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return None
    is_whole = len(content) >= KEY_ID_SIZE + _NONCE_SIZE + _TAG_SIZE
    # One text of the same bytes, not several: neither other alphabets nor loose bits at the end.
    return content if is_whole and urlsafe_b64encode(content).rstrip(b"=").decode() == encoded else None


def _bound(subject: str, place: SealContext) -> bytes:
    parts = (each.encode() for each in (_PURPOSE, subject, place.event_id, place.name))
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
