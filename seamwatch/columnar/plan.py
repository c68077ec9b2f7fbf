"""Plans: how the datums of one writer's schema become rows of ours, settled once per header.

A plan names the columns to read of the writer's datums and the expressions that make our columns of them. Where
polars cannot read the writer's schema, or could not resolve it as Avro does, there is none, and the records are
decoded one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from seamwatch.columnar.columns import dtype
from seamwatch.columnar.container import Container, container
from seamwatch.wire.resolution import Resolution
from seamwatch.wire.schemas import Definition, Field, unwrap

_PROMOTIONS = {
    "int": ("long", "double"),
    "long": ("double",),
    "float": ("double",),
    "string": ("bytes",),
}
_PRIMITIVES = ("string", "boolean", "int", "long", "float", "double", "bytes")


@dataclass(frozen=True, slots=True)
class DecodePlan:
    """The container to read, our columns made of its, and the rows that are no record of ours.

    ``wrong`` maps a reason to the expression, over the container's columns, that holds for such rows.
    """

    container: Container
    made: tuple[pl.Expr, ...]
    wrong: tuple[tuple[str, pl.Expr], ...]


def plan(resolution: Resolution, wanted: Sequence[Field]) -> DecodePlan | None:
    """The plan for the wanted fields of ours; None when the records must be decoded one by one."""
    writer = resolution.writer
    given: dict[str, Any] = {field["name"]: field["type"] for field in writer["fields"]}
    if not all(_readable(kind) for kind in given.values()):
        return None
    if not resolution.same and not all(
        _resolvable(given[field.name], field) for field in resolution.schema.fields if field.name in given
    ):
        return None
    made: list[pl.Expr] = []
    wrong: list[tuple[str, pl.Expr]] = []
    for field in wanted:
        if field.name not in given:
            made.append(pl.lit(pl.Series([field.default], dtype=dtype(field.type))).first().alias(field.name))
            continue
        made.append(_made(field, given[field.name]))
    for field in resolution.schema.fields:
        if field.name in given:
            wrong += _wrong(field, given[field.name])
    needed = {field.name for field in wanted if field.name in given} | _checked(resolution.schema.fields, given)
    # polars wants the columns in the writer's order.
    return DecodePlan(_container(writer, needed), tuple(made), tuple(wrong))


def _container(writer: Definition, needed: set[str]) -> Container:
    return container(writer, [field["name"] for field in writer["fields"] if field["name"] in needed])


def _checked(fields: Sequence[Field], given: dict[str, Any]) -> set[str]:
    """The columns that ``wrong`` looks at."""
    return {field.name for field in fields if field.name in given and _wrong(field, given[field.name])}


def _made(field: Field, kind: Any) -> pl.Expr:
    value = pl.col(field.name)
    inner, _ = unwrap(kind)
    if field.symbols:
        symbols = dict(enumerate(inner["symbols"]))
        return value.replace_strict(symbols, default=None, return_dtype=pl.String())
    return value.cast(dtype(field.type)) if _name(inner) != field.primitive else value


def _wrong(field: Field, kind: Any) -> list[tuple[str, pl.Expr]]:
    inner, nullable = unwrap(kind)
    value = pl.col(field.name)
    wrong = []
    if field.symbols:
        known = [index for index, symbol in enumerate(inner["symbols"]) if symbol in field.symbols]
        wrong.append((f"{field.name} has a symbol that is none of {', '.join(field.symbols)}", ~value.is_in(known)))
    if nullable and not field.nullable:
        wrong.append((f"{field.name} is null", value.is_null()))
    return wrong


def _name(kind: Any) -> str:
    return str(kind["type"]) if isinstance(kind, dict) else str(kind)


def _readable(kind: Any, *, nested: bool = False) -> bool:
    """Whether polars can read the type: no maps, no unions but with null, no references to named types."""
    inner, nullable = unwrap(kind)
    if isinstance(inner, list):
        return False
    name = _name(inner)
    if name == "array":
        return _readable(inner["items"], nested=True)
    if name == "record":
        return not nullable and all(_readable(field["type"], nested=True) for field in inner["fields"])
    if name == "enum":
        return not nested
    return name in _PRIMITIVES


def _resolvable(kind: Any, field: Field) -> bool:
    """Whether a cast of the column is all that Avro's resolution would do to it."""
    inner, _ = unwrap(kind)
    name, ours = _name(inner), field.primitive
    if name in _PRIMITIVES and ours in _PRIMITIVES:
        return name == ours or ours in _PROMOTIONS.get(name, ())
    if name == ours == "enum":
        return True
    return name == ours == "array" and dtype(inner) == dtype(field.type) and not _nulls_inside(inner["items"])


def _nulls_inside(kind: Any) -> bool:
    inner, nullable = unwrap(kind)
    fields = inner.get("fields", ()) if isinstance(inner, dict) else ()
    return nullable or any(_nulls_inside(field["type"]) for field in fields)
