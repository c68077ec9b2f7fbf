"""Columns: the polars types of a record type's fields, frames from single records, and bounds in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from seamwatch.wire.checks import bounded_fields, broken_bound
from seamwatch.wire.schemas import Field, schema, unwrap

_PRIMITIVES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "enum": pl.String(),
    "boolean": pl.Boolean(),
    "int": pl.Int32(),
    "long": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
    "bytes": pl.Binary(),
    "fixed": pl.Binary(),
}


def dtype(kind: Any) -> pl.DataType:
    """The polars type of an Avro type: times are Int64 microseconds, enums are String."""
    inner, _ = unwrap(kind)
    name = inner["type"] if isinstance(inner, dict) else inner
    if name == "array":
        return pl.List(dtype(inner["items"]))
    if name == "record":
        return pl.Struct([pl.Field(field["name"], dtype(field["type"])) for field in inner["fields"]])
    return _PRIMITIVES[name]


@cache
def columns(record_type: str) -> Mapping[str, pl.DataType]:
    """The columns of a record type, in the order of its fields."""
    return {field.name: dtype(field.type) for field in schema(record_type).fields}


def frame_of(record_type: str, records: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of whole records (as the codec gives them), with the columns that decoding gives."""
    return pl.DataFrame(records, schema=dict(columns(record_type)), strict=True)


def bounded_columns(record_type: str) -> tuple[str, ...]:
    """The columns that must be there for bounds to be checked."""
    return tuple(field.name for field in bounded_fields(record_type))


@cache
def keeps_bounds(record_type: str, *, earlier: bool = False) -> pl.Expr:
    """Whether a row keeps every bound of its schema; null keeps all. ``earlier``: those of earlier releases."""
    kept = [_kept(field, pl.col(field.name), earlier=earlier) for field in bounded_fields(record_type)]
    return pl.all_horizontal(kept).fill_null(value=True) if kept else pl.lit(value=True)


def _kept(field: Field, value: pl.Expr, *, earlier: bool) -> pl.Expr:
    if field.members:
        inner = [
            _kept(member, pl.element().struct.field(member.name), earlier=earlier)
            for member in field.members
            if member.primitive == "double" or member.minimum is not None or member.maximum is not None
        ]
        return value.list.eval(pl.all_horizontal(inner)).list.all()
    kept = [value.is_finite()] if field.primitive == "double" else []
    if field.minimum is not None:
        kept.append(value >= field.minimum)
    if field.maximum is not None:
        kept.append(value <= field.maximum)
    if field.excluded is not None and not earlier:
        kept.append(~value.is_between(*field.excluded))
    return pl.all_horizontal(kept)


def broken_bounds(record_type: str, row: Mapping[str, Any], *, earlier: bool = False) -> str:
    """The first broken bound of a row, in the codec's words."""
    return next(_broken(bounded_fields(record_type), row, "", earlier=earlier), "out of bounds")


def _broken(fields: Iterable[Field], row: Mapping[str, Any], path: str, *, earlier: bool) -> Iterator[str]:
    for field in fields:
        value = row.get(field.name)
        if value is None:
            continue
        if field.members:
            for index, item in enumerate(value):
                yield from _broken(field.members, item, f"{path}{field.name}[{index}].", earlier=earlier)
        else:
            broken = broken_bound(field, value, earlier=earlier)
            if broken:
                yield f"out of bounds: {path}{field.name} {broken}"
