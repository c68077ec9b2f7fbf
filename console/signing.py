"""Signing what a person says as an event: with which of their published keys, and the bytes that are signed.

Reads the private key's file and nothing else; who is published is told by the caller, who also sends the event.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from console.keys import public_of, read_private_key
from seamwatch.errors import UsageError
from seamwatch.signatures import sign


class Signed(NamedTuple):
    """The name of the key and the signature in base64, as events have them; both None without a key."""

    key_id: str | None
    signature: str | None


def demand_key(person: str, keys: Mapping[str, str], file: Path | None) -> None:
    """Raise UsageError when a person has published keys and no file is given, so that what they say would not count."""
    if file is None and keys:
        raise UsageError(f"{person} has published keys, so what is not signed would not count: give --key FILE")


def sign_as(message: bytes, person: str, keys: Mapping[str, str], file: Path | None) -> Signed:
    """Sign for a person whose published ``keys`` are these (public key in base64 → key id).

    Raises UsageError when they have keys and no file is given, so that what they say would count for nothing, and when
    the key in the file is none of theirs.
    """
    demand_key(person, keys, file)
    if file is None:
        return Signed(None, None)
    private = read_private_key(file)
    public = public_of(private)
    if public not in keys:
        raise UsageError(f"{file}: its public key {public} is not among the keys published for {person}")
    return Signed(keys[public], b64encode(sign(message, private)).decode())
