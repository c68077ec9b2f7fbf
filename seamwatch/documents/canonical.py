"""Canonical JSON (RFC 8785) and the digest that is signed and carried by every violation.

A document's digest is SHA-256 over the canonical JSON of its plain content, as it is written: durations and times are
the text that the author wrote, nothing is filled in. So any program that reads YAML can compute it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value: sorted keys, no white space, numbers as ECMAScript writes them.

    Raises ValueError for what is no JSON value (a number that is not finite, a key that is not text).
    """
    return _text(value).encode()


def digest_of(content: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | float):
        return _number(float(value)) if isinstance(value, float) or abs(value) > 2**53 else str(value)
    if isinstance(value, Mapping):
        try:
            plain = "".join(value).isascii()
        except TypeError:
            raise ValueError("keys of a JSON object are text") from None
        # The order is that of UTF-16, which differs from that of the characters beyond the first plane only.
        keys = sorted(value) if plain else sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join([f"{encode_basestring(key)}:{_text(value[key])}" for key in keys]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise ValueError(f"{value!r} is no JSON value")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    # repr gives the shortest digits that read back; ECMAScript only places them differently.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else ''}{point - 1}"
