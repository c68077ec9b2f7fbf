"""NDJSON by columns: lines of one measured record type, parsed without a Python step for each.

What holds here holds for the strict reader of lines (`seamwatch.wire.text`) too: anything that it would refuse or
convert, or that cannot be told, gives nothing here, and the caller reads these lines in another way. Reads no files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
import polars as pl

from seamwatch.columnar.columns import columns, keeps_bounds
from seamwatch.columnar.identities import identified
from seamwatch.columnar.sizes import too_large_rows
from seamwatch.wire.schemas import Field, schema
from streams.replay.history.gathering import MEASURED

if TYPE_CHECKING:
    import pyarrow as pa

_USUAL_TIME = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$"
_BLOCK_BYTES = 1024 * 1024
_HALF_A_PAIR = re.compile(rb"\\u[dD][89abAB]")


def columns_of(data: bytes) -> tuple[str, pl.DataFrame] | None:
    """Record type and frame of whole lines, in order; None where these are not plain lines of one measured type.

    The frame has the columns of the type; ``event_id`` may be null.
    """
    lines = _objects(data)
    first = _first(data) if lines else None
    name = first.get("type") if first is not None else None
    if first is None or not isinstance(name, str) or name not in MEASURED:
        return None
    # What is given as a number in the first line is expected as one in all of them.
    counted = frozenset(
        field.name for field in schema(name).fields if field.time and type(first.get(field.name)) is int
    )
    table = _table(data, _arrow_schema(name, counted), lines)
    if table is None:
        return None
    read = cast(pl.DataFrame, pl.from_arrow(table))
    if not (read["type"] == name).all() or read["type"].null_count():
        return None
    made = []
    for field in schema(name).fields:
        column = _column(field, read[field.name], columns(name)[field.name])
        if column is None:
            return None
        made.append(column)
    frame = pl.DataFrame(made)
    if not frame.select(keeps_bounds(name).all()).item():
        return None
    held, lacking = identified(name, frame)
    return (name, held) if lacking is None and not any(too_large_rows(name, held)) else None


def _objects(data: bytes) -> int:
    """How many lines there are, if each begins and ends as one object does; 0 if not."""
    # Otherwise rows could not be told by their lines.
    if not data.startswith(b"{") or not data.endswith((b"}", b"}\n")):
        return 0
    letters = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    within = ends[:-1] if data.endswith(b"\n") else ends
    whole = (letters[within - 1] == ord("}")).all() and (letters[within + 1] == ord("{")).all()
    return len(within) + 1 if whole else 0


def _first(data: bytes) -> dict[str, Any] | None:
    end = data.find(b"\n")
    try:
        first = orjson.loads(data if end < 0 else data[:end])
        if not data.isascii():
            data.decode()
    except ValueError:
        return None
    if not isinstance(first, dict) or (b"\\" in data and _HALF_A_PAIR.search(data)):
        return None
    return first


def _table(data: bytes, form: pa.Schema, rows: int) -> pa.Table | None:
    import pyarrow as pa
    import pyarrow.json as pj

    try:
        table = pj.read_json(
            pa.BufferReader(data),
            read_options=pj.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pj.ParseOptions(explicit_schema=form, unexpected_field_behavior="error"),
        )
    except (pa.ArrowException, ValueError):
        return None
    return table if table.num_rows == rows else None


@cache
def _arrow_schema(name: str, counted: frozenset[str]) -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    kinds: Mapping[str, pa.DataType] = {
        "string": text, "enum": text, "boolean": pa.bool_(), "double": pa.float64(), "long": number, "int": pa.int32(),
    }  # fmt: skip
    made = [pa.field("type", text)]
    for field in schema(name).fields:
        if field.primitive == "array":
            kind = pa.list_(pa.struct([(member.name, kinds[member.primitive]) for member in field.members]))
        else:
            kind = text if field.time and field.name not in counted else kinds[field.primitive]
        made.append(pa.field(field.name, kind))
    return pa.schema(made)


def instants(text: pl.Series) -> pl.Series | None:
    """Times as microseconds; None where one is not in the usual form, or is no time."""
    import pyarrow as pa

    if not text.str.contains(_USUAL_TIME).all():
        return None
    try:
        times = text.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return None
    return cast(pl.Series, pl.from_arrow(times.cast(pa.int64()))).alias(text.name)


def _column(field: Field, column: pl.Series, kind: pl.DataType) -> pl.Series | None:
    """The column as the strict reader would have it; None where it would not, or not as it is."""
    if field.name == "event_id":
        return column
    if field.primitive == "array":
        items = column.drop_nulls().list.explode(empty_as_null=False)
        whole = [items.struct.field(member.name) for member in field.members]
        if items.null_count() or any(part.null_count() for part in whole):
            return None
    elif field.time and column.dtype == pl.String:
        times = instants(column)
        if times is None:
            return None
        column = times
    if column.dtype != kind or (field.symbols and not column.drop_nulls().is_in(field.symbols).all()):
        return None
    if not column.null_count():
        return column
    if field.required:
        return None
    # An absent value cannot be told from null here, so both must come to the same.
    if field.nullable:
        return column if field.default is None else None
    if column.null_count() == len(column):
        return pl.Series(field.name, [field.default], dtype=kind).new_from_index(0, len(column))
    return column.fill_null(pl.Series([field.default], dtype=kind).first())
