"""Framing: the few bytes before an Avro datum that say which schema wrote it.

Two framings are accepted wherever a record is read:

- Avro single-object encoding: ``C3 01``, then the schema's CRC-64-AVRO fingerprint, 8 bytes little-endian;
- Confluent: ``00``, then the schema's id in the registry, 4 bytes big-endian.

This module makes and splits headers; it knows no schema.
"""

from __future__ import annotations

import struct

from seamwatch.errors import OutOfBounds, UndecodableRecord

SINGLE_OBJECT_MARKER = b"\xc3\x01"
SINGLE_OBJECT_HEADER = 10
CONFLUENT_MAGIC = b"\x00"
CONFLUENT_HEADER = 5
MAXIMUM_VALUE_BYTES = 512 * 1024
"""The largest message value, framing included, that an event may have."""


def single_object_header(fingerprint: bytes) -> bytes:
    """The 10 bytes before a datum in single-object encoding; ``fingerprint`` is 8 bytes, little-endian."""
    return SINGLE_OBJECT_MARKER + fingerprint


def confluent_header(schema_id: int) -> bytes:
    """The 5 bytes before a datum in Confluent framing."""
    return CONFLUENT_MAGIC + struct.pack(">I", schema_id)


def schema_id_of(header: bytes) -> int:
    """The registry's schema id in a Confluent header of 5 bytes."""
    return int.from_bytes(header[1:CONFLUENT_HEADER], "big")


def split(value: bytes) -> tuple[bytes, bytes]:
    """The header (10 or 5 bytes) and the datum of a message value.

    Raises UndecodableRecord for a value that is in neither framing.
    """
    if value[:2] == SINGLE_OBJECT_MARKER:
        if len(value) < SINGLE_OBJECT_HEADER:
            raise UndecodableRecord(f"truncated: {len(value)} bytes end inside the schema's fingerprint")
        return value[:SINGLE_OBJECT_HEADER], value[SINGLE_OBJECT_HEADER:]
    if value[:1] == CONFLUENT_MAGIC:
        if len(value) < CONFLUENT_HEADER:
            raise UndecodableRecord(f"truncated: {len(value)} bytes end inside the schema id")
        return value[:CONFLUENT_HEADER], value[CONFLUENT_HEADER:]
    raise UndecodableRecord(not_framed(value))


def not_framed(value: bytes) -> str:
    """Why a value that is in neither framing cannot be decoded."""
    if not value:
        return "empty: the message has no bytes"
    return (
        f"not framed: starts with {value[:4].hex(' ')}, neither Avro single-object encoding (c3 01) "
        "nor Confluent framing (00)"
    )


def too_large(size: int) -> OutOfBounds:
    """The error for a value of more bytes than an event may have."""
    return OutOfBounds(f"too large: {size} bytes, above the bound of {MAXIMUM_VALUE_BYTES}")
