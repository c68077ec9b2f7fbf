"""Event ids of the demo: version 7 UUIDs that are the same for the same event in every run."""

from __future__ import annotations

import hashlib
import uuid


def event_id(name: str, when: int) -> str:
    """The id of the event ``name`` at ``when`` (microseconds): its time as in a UUIDv7, the rest from its name."""
    bits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    value = (when // 1_000 & (1 << 48) - 1) << 80 | bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
