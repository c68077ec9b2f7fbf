"""Leaves: the bytes of a record that the ledger vouches for, and their hashes.

    version      1 byte     0x01
    topic        2 bytes    length, then the name in UTF-8
    partition    4 bytes
    offset       8 bytes
    timestamp    8 bytes    the broker's, milliseconds since the epoch, two's complement
    key          4 bytes    length; 0xffffffff for no key
    headers      4 bytes    length
    value        4 bytes    length; 0xffffffff for no value
    and then the bytes of key, headers and value, of those lengths

Integers are big-endian. Headers are, one after another: 4 bytes length and the name in UTF-8, 4 bytes length
(0xffffffff for none) and the value. Two records that differ in any of it have different bytes. Pure; docs/ledger.md
has test vectors.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from seamwatch.errors import ProofError
from sinks.ledger.format.merkle import HASH_SIZE, LEAF_PREFIX

VERSION: Final = 1
_NONE: Final = 0xFFFFFFFF
_NUMBERS: Final = struct.Struct(">IqqIII")
_NUMBERED: Final = [
    ("partition", ">u4"),
    ("offset", ">i8"),
    ("timestamp", ">i8"),
    ("key", ">u4"),
    ("headers", ">u4"),
    ("value", ">u4"),
]

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the ledger has it: where it was, when the broker took it (milliseconds), and what it was."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = field(default=())


def entry_bytes(entry: Entry) -> bytes:
    """The bytes of a record that its leaf's hash covers."""
    headers = _headers_bytes(entry.headers)
    return b"".join(
        [
            _prefix(entry.topic),
            _NUMBERS.pack(
                entry.partition,
                entry.offset,
                entry.timestamp,
                _NONE if entry.key is None else len(entry.key),
                len(headers),
                _NONE if entry.value is None else len(entry.value),
            ),
            entry.key or b"",
            headers,
            entry.value or b"",
        ]
    )


def read_entry(content: bytes) -> Entry:
    """The record whose bytes these are. Raises ProofError when they are no record's."""
    reader = _Reader(content)
    if reader.take(1) != bytes([VERSION]):
        raise ProofError("a leaf of an unknown version: a newer seamwatch can read it")
    topic = reader.text(reader.number(2))
    partition, offset, timestamp, key, headers, value = _NUMBERS.unpack(reader.take(_NUMBERS.size))
    entry = Entry(
        topic,
        partition,
        offset,
        timestamp,
        key=reader.optional(key),
        headers=_read_headers(_Reader(reader.take(headers))),
        value=reader.optional(value),
    )
    if reader.rest:
        raise ProofError("a leaf has bytes after its end")
    return entry


def leaf_hashes(topic: str, partition: int | pl.Series, rows: pl.DataFrame) -> bytes:
    """The hashes of the leaves of rows of one topic, one after another; ``partition`` is that of all, or one a row.

    Columns: offset (Int64), broker_time (Datetime[ms]), key and raw (Binary), headers (list of {key, value}); without
    a column headers there are none.
    """
    count = len(rows)
    if not count:
        return b""
    headers = _headers_column(rows)
    prefix = LEAF_PREFIX + _prefix(topic)
    fixed = np.empty(count, [("prefix", f"V{len(prefix)}"), *_NUMBERED])
    fixed["prefix"] = np.void(prefix)
    fixed["partition"] = partition if isinstance(partition, int) else partition.to_numpy()
    fixed["offset"] = rows["offset"].to_numpy()
    fixed["timestamp"] = rows["broker_time"].dt.epoch("ms").to_numpy()
    fixed["key"] = _lengths(rows["key"])
    fixed["headers"] = 0 if headers is None else headers.bin.size().to_numpy()
    fixed["value"] = _lengths(rows["raw"])
    contents, ends = _joined(fixed, [rows["key"], *([] if headers is None else [headers]), rows["raw"]])
    sha256 = hashlib.sha256
    return b"".join([sha256(contents[start:end]).digest() for start, end in pairwise(ends)])


def _joined(fixed: np.ndarray, parts: Sequence[pl.Series]) -> tuple[bytes, list[int]]:
    """The bytes of each row, its fixed ones and then its parts, all in one, and where each row's begin and end."""
    import pyarrow as pa

    # Row by row in Python, putting them together takes a third as long as hashing them.
    ends = np.arange(0, fixed.nbytes + 1, fixed.dtype.itemsize)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(fixed)]
    rows = pl.Series(pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(fixed), buffers))
    for part in parts:
        rows += part.fill_null(b"")
    _, ends, contents = rows.to_arrow().buffers()
    return contents.to_pybytes(), np.frombuffer(ends, np.int64)[: len(fixed) + 1].tolist()


def split(hashes: bytes) -> list[bytes]:
    """Hashes that stand one after another, as a list."""
    return [hashes[start : start + HASH_SIZE] for start in range(0, len(hashes), HASH_SIZE)]


def _prefix(topic: str) -> bytes:
    name = topic.encode()
    return bytes([VERSION]) + struct.pack(">H", len(name)) + name


def _lengths(values: pl.Series) -> np.ndarray:
    return values.bin.size().fill_null(_NONE).to_numpy()


def _headers_column(rows: pl.DataFrame) -> pl.Series | None:
    """The bytes of each row's headers; None where no row has any."""
    if "headers" not in rows.columns or not rows["headers"].list.len().max():
        return None
    every = rows["headers"].to_list()
    each = [_headers_bytes([(h["key"], h["value"]) for h in headers or ()]) for headers in every]
    return pl.Series(each, dtype=pl.Binary)


def _headers_bytes(headers: Iterable[tuple[str | bytes, bytes | None]]) -> bytes:
    parts = []
    for key, value in headers:
        name = key.encode() if isinstance(key, str) else key
        parts += [struct.pack(">I", len(name)), name]
        parts += [struct.pack(">I", _NONE if value is None else len(value)), value or b""]
    return b"".join(parts)


def _read_headers(reader: _Reader) -> tuple[Header, ...]:
    found: list[Header] = []
    while reader.rest:
        name = reader.text(reader.number(4))
        found.append((name, reader.optional(reader.number(4))))
    return tuple(found)


class _Reader:
    """Takes bytes from the front; refuses when there are too few."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise ProofError("a leaf ends early")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def text(self, length: int) -> str:
        try:
            return self.take(length).decode()
        except UnicodeDecodeError as error:
            raise ProofError("a name in a leaf is not UTF-8") from error

    def optional(self, length: int) -> bytes | None:
        return None if length == _NONE else self.take(length)
