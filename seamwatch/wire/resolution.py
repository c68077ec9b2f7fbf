"""Resolution: how the records of one writer's schema are read as ours.

Settles, once per writer schema, whether and how it can be read; reads single datums. Older and newer schemas
are resolved by Avro's rules: a field the writer lacks takes our default, a field we lack is left out.
"""

from __future__ import annotations

import io
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import fastavro

from seamwatch.errors import UndecodableRecord
from seamwatch.record_types import RECORD_TYPES
from seamwatch.wire.matching import demand_types
from seamwatch.wire.schemas import Definition, Schema, fingerprint, plain, unwrap

_NAMED = ("record", "enum", "fixed")


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """A writer's schema, as it is read for one record type.

    ``writer`` is its definition without logical types, names aligned with ours; ``same`` says that it writes
    exactly what we read.
    """

    schema: Schema
    writer: Definition
    same: bool
    parsed_writer: Any
    parsed_reader: Any
    parsed_skipped: Any
    """The writer's schema with its enums as the numbers they are written as: it reads over what is none of ours."""

    def read(self, datum: bytes) -> dict[str, Any]:
        """The record in a datum, times as microseconds.

        Raises UndecodableRecord for a datum that is truncated, garbled, or followed by more bytes.
        """
        stream = io.BytesIO(datum)
        try:
            record = fastavro.schemaless_reader(stream, self.parsed_writer, self.parsed_reader)
        except (EOFError, IndexError):
            raise UndecodableRecord(f"truncated: {len(datum)} bytes are not a whole {self.schema.name}") from None
        except Exception as error:
            raise UndecodableRecord(f"not a valid {self.schema.name}: {_words(error)}") from error
        left = len(datum) - stream.tell()
        if left:
            raise UndecodableRecord(f"{left} trailing bytes after the {self.schema.name}")
        return cast(dict[str, Any], record)


def resolve(schema: Schema, definition: Definition, *, earlier: bool = False) -> Resolution:
    """How records of a writer's schema are read as ``schema``.

    Raises UndecodableRecord when they cannot be, naming what stands in the way. ``earlier``: as earlier releases did,
    which tried each record of a schema that has a field of another type than ours.
    """
    try:
        return _resolved(schema, definition, earlier=earlier)
    except UndecodableRecord:
        raise
    except Exception as error:
        # A schema comes from outside, whole or not.
        raise UndecodableRecord(f"its schema cannot be read: {_words(error)}") from error


def _resolved(schema: Schema, definition: Definition, *, earlier: bool) -> Resolution:
    if not isinstance(definition, dict) or definition.get("type") != "record":
        raise UndecodableRecord(f"its schema is not a record, so it is no {schema.name}")
    name = str(definition.get("name", "")).rpartition(".")[2]
    if name != schema.name and name in RECORD_TYPES:
        raise UndecodableRecord(f"it is a record of type {name}, not {schema.name}")
    _demand_fields(schema, definition)
    if not earlier:
        demand_types(schema, definition)
    reader = plain(schema.definition)
    writer = plain(definition)
    same = fingerprint(writer) == schema.fingerprint
    if not same:
        writer = _aligned(deepcopy(writer), reader)
    parsed_writer = fastavro.parse_schema(deepcopy(writer))
    parsed_reader = None if same else fastavro.parse_schema(deepcopy(reader))
    return Resolution(schema, writer, same, parsed_writer, parsed_reader, _skipped(writer, parsed_writer))


def _skipped(writer: Definition, parsed: Any) -> Any:
    try:
        return fastavro.parse_schema(_with_numbers(deepcopy(writer)))
    except Exception:  # noqa: BLE001 - a type that refers to an enum by its name: then it is read as it was written
        return parsed


def _with_numbers(kind: Any) -> Any:
    if isinstance(kind, list):
        return [_with_numbers(branch) for branch in kind]
    if not isinstance(kind, dict):
        return kind
    if kind.get("type") == "enum":
        return "int"
    return {key: _with_numbers(value) if key in ("type", "items", "values", "fields") else value
            for key, value in kind.items()}  # fmt: skip


def _demand_fields(schema: Schema, definition: Definition) -> None:
    given = {field["name"]: field["type"] for field in definition["fields"]}
    missing = [field.name for field in schema.fields if field.required and field.name not in given]
    if missing:
        raise UndecodableRecord(f"its schema lacks {', '.join(missing)}, which a {schema.name} must have")
    for field in schema.fields:
        kind, _ = unwrap(given.get(field.name))
        logical = kind.get("logicalType") if isinstance(kind, dict) else None
        # A plain long is taken at its word; millis read as micros would be wrong by a thousand, in silence.
        if field.time and logical not in (None, "timestamp-micros"):
            raise UndecodableRecord(f"its schema gives {field.name} as {logical}: write timestamp-micros")


def _aligned(writer: Any, reader: Any) -> Any:
    """The writer's type with its named types called as ours: Avro matches by name, we match by place."""
    writer_kind, _ = unwrap(writer)
    reader_kind, _ = unwrap(reader)
    if not (isinstance(writer_kind, dict) and isinstance(reader_kind, dict)):
        return writer
    if writer_kind.get("type") != reader_kind.get("type"):
        return writer
    if writer_kind["type"] in _NAMED and "name" in reader_kind:
        writer_kind["name"] = reader_kind["name"]
        writer_kind["namespace"] = "seamwatch"
    if writer_kind["type"] == "array":
        writer_kind["items"] = _aligned(writer_kind["items"], reader_kind["items"])
    ours = {field["name"]: field["type"] for field in reader_kind.get("fields", ())}
    for field in writer_kind.get("fields", ()):
        if field["name"] in ours:
            field["type"] = _aligned(field["type"], ours[field["name"]])
    return writer


def _words(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
