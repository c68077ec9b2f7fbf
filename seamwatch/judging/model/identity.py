"""Identity: ids that are made from what they name, the same live and in every replay."""

from __future__ import annotations

import hashlib
import json
import uuid


def identity(*parts: str | None) -> str:
    """A UUID (version 8) made from the SHA-256 of the parts: the same parts give the same id everywhere."""
    digest = hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).digest()
    # RFC 9562: version 8 leaves the bits to the application; Python's uuid knows it from 3.14 on only.
    value = bytearray(digest[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(value)))
