"""Containers: many datums of one writer schema as a frame, in one go.

The datums are laid into a single Avro container block in memory, which polars reads. A block does not mark where
a message ends, so a random double, the guard, is laid before every datum and read as one more column: it comes
out right in every row only if every datum was consumed to its last byte and no further. A datum that is cut
short, followed by more bytes, or two in one shifts the guards behind it, and the frame is refused.

Nothing here says which datum is bad; `seamwatch.columnar.decode` finds that by reading parts.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from seamwatch.columnar.panics import panics_withheld
from seamwatch.wire.framing import CONFLUENT_HEADER, SINGLE_OBJECT_HEADER
from seamwatch.wire.schemas import Definition

GUARD = "__guard"
_HEADER = "__header"
_SYNC = b"seamwatch block."


@dataclass(frozen=True, slots=True)
class Container:
    """How the datums of one writer schema are read: the container's head, and the columns wanted of it."""

    head: bytes
    unguarded: bytes
    """The head of a container of the datums alone."""
    columns: tuple[str, ...]
    framed: Mapping[int, bytes]
    """By the length of a header: the head of a container of datums that have their headers still."""

    def read(self, datums: Sequence[bytes], header: bytes = b"") -> pl.DataFrame | None:
        """The rows of the datums, in order; None when any of them is not exactly one record.

        With a ``header`` each of them must begin with it.
        """
        guard, nonce = _guard()
        rows, body, last = len(datums) + 1, guard.join(datums), datums[-1]
        if header and not (body.startswith(header) and body.count(guard + header) == len(datums) - 1):
            return None
        head = self.framed[len(header)] if header else self.head
        size = _long(len(body) + 2 * len(guard) + len(last))
        block = b"".join((head, _long(rows), size, guard, body, guard, last, _SYNC))
        try:
            with panics_withheld():
                frame = pl.read_avro(io.BytesIO(block), columns=[GUARD, *self.columns])
        except BaseException as error:
            # A panic in the decoder comes as a BaseException of its own; a request to stop is not for us.
            if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
                raise
            return None
        if frame.height != rows or not (frame[GUARD] == nonce).all():
            return None
        return frame.head(len(datums)).drop(GUARD)


def container(writer: Definition, columns: Sequence[str]) -> Container:
    """The container for a writer's definition (without logical types), reading these of its columns."""
    fields, guard = _readable(writer)["fields"], {"name": GUARD, "type": "double"}
    framed = {
        size: _head([guard, {"name": _HEADER, "type": {"type": "fixed", "name": _HEADER, "size": size}}, *fields])
        for size in (SINGLE_OBJECT_HEADER, CONFLUENT_HEADER)
    }
    return Container(_head([guard, *fields]), _head(fields), tuple(columns), framed)


def block_of(container: Container, data: bytes, rows: int) -> bytes:
    """A whole block of records that a writer of this container laid one after the other, as a container file.

    It has no guards: a block that is cut short, or that holds more than its rows, is not told.
    """
    return b"".join((container.unguarded, _long(rows), _long(len(data)), data, _SYNC))


def _head(fields: Sequence[Any]) -> bytes:
    text = json.dumps({"type": "record", "name": "guarded", "fields": fields}).encode()
    metadata = [(b"avro.schema", text), (b"avro.codec", b"null")]
    entries = b"".join(_long(len(part)) + part for entry in metadata for part in entry)
    return b"Obj\x01" + _long(len(metadata)) + entries + b"\x00" + _SYNC


def _readable(kind: Any) -> Any:
    """The type as polars reads it, bare: extra properties are errors to it, and so are nullable enums.

    An enum is encoded as the int of its symbol, so it is read as that.
    """
    if isinstance(kind, list):
        return [_readable(branch) for branch in kind]
    if not isinstance(kind, dict):
        return kind
    if kind["type"] == "enum":
        return "int"
    if kind["type"] == "array":
        return {"type": "array", "items": _readable(kind["items"])}
    if kind["type"] == "record":
        fields = [{"name": field["name"], "type": _readable(field["type"])} for field in kind["fields"]]
        return {"type": "record", "name": kind["name"], "fields": fields}
    return kind["type"]


def _guard() -> tuple[bytes, float]:
    """Eight bytes that nobody can foresee, and the finite number that they are."""
    raw = os.urandom(8)
    high = struct.unpack(">H", raw[:2])[0]
    if high & 0x7FF0 == 0x7FF0 or high & 0x7FF0 == 0:
        return _guard()
    return raw[::-1], struct.unpack(">d", raw)[0]


def _long(number: int) -> bytes:
    """An Avro long of a number that is not negative."""
    rest, encoded = number << 1, bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
