"""Canonical JSON (RFC 8785) and the digest that is signed and carried by every violation.

A document's digest is SHA-256 over the canonical JSON of its plain content, as it is written: durations and times are
the text that the author wrote, nothing is filled in. So any program that reads YAML can compute it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value: sorted keys, no white space, numbers as ECMAScript writes them.

    Raises ValueError for what is no JSON value (a number that is not finite, a key that is not text).
    """
    try:
        try:
            return rfc8785.dumps(value)
        except rfc8785.IntegerDomainError:
            # RFC 8785 knows doubles alone, and the library refuses what may not be one: it is what ECMAScript reads.
            return rfc8785.dumps(_as_doubles(value))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"no JSON value: {error}") from None


def digest_of(content: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def _as_doubles(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{value} is no JSON number") from None
    if isinstance(value, Mapping):
        return {key: _as_doubles(inner) for key, inner in value.items()}
    return [_as_doubles(item) for item in value] if isinstance(value, list | tuple) else value
