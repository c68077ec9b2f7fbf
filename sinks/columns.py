"""Columns: the polars type of every column of a record type's table, taken from its Avro schema.

Types only. The tables themselves are `sinks/store/migrations`; a test holds the two to the same names.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import polars as pl

from seamwatch.wire.schemas import Field, schema

TIME: Final = pl.Datetime("us", "UTC")
BROKER_TIME: Final = pl.Datetime("ms", "UTC")
HEADERS: Final = pl.List(pl.Struct({"key": pl.String, "value": pl.Binary}))

POSITION_COLUMNS: Final = ("topic", "partition", "offset", "broker_time", "key", "headers", "raw")
"""What every table has beside the fields of its record: where the record was, and its bytes."""

_PRIMITIVES: Final[dict[str, Any]] = {
    "string": pl.String,
    "enum": pl.String,
    "bytes": pl.Binary,
    "boolean": pl.Boolean,
    "int": pl.Int32,
    "long": pl.Int64,
    "float": pl.Float32,
    "double": pl.Float64,
}


@cache
def columns(record_type: str) -> dict[str, Any]:
    """The polars type of each field of a record type, times as Datetime[us, UTC]."""
    return {field.name: _column(field) for field in schema(record_type).fields}


def _column(field: Field) -> Any:
    if field.time:
        return TIME
    if field.members:
        return pl.List(pl.Struct({member.name: _column(member) for member in field.members}))
    if field.primitive == "array":
        return pl.List(_PRIMITIVES[field.type["items"]])
    return _PRIMITIVES[field.primitive]
