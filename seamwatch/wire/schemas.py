"""Schemas: the record types of the wire, read from their `.avsc` files.

Loads and describes our own schemas; what other writers' schemas mean to us is `seamwatch.wire.resolution`.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, cast

import fastavro.schema

from seamwatch.errors import UndecodableRecord, UsageError
from seamwatch.record_types import RECORD_TYPES

Definition = dict[str, Any]
"""A schema as its JSON says it."""

_EARLIER: Final = (
    "acknowledgement-1", "acknowledgement-2", "attestation-1", "attestation-2", "attestation-3", "config_change-1",
    "dataset_refresh-1", "page-1", "verdict-1", "verdict-2", "violation-1", "violation-2",
)  # fmt: skip

REQUIRED: Final = object()
"""The default of a field that has none."""

Identity = Literal["uuid", "event", "name"]
"""``uuid``: an event's own id; ``event``: the id of another event; ``name``: anything else that has one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record type; ``type`` is the Avro type without null and without logical types."""

    name: str
    type: Any
    doc: str
    nullable: bool
    default: Any
    time: bool
    minimum: int | float | None
    maximum: int | float | None
    excluded: tuple[int, int] | None
    """Whole numbers between these, both among them, are out of bounds too: another unit taken for this one."""
    identity: Identity | None
    """What the text identifies (`seamwatch.wire.identities`); None for what identifies nothing."""
    primitive: str
    """The name of the Avro type: ``string``, ``long``, ``enum``, ``array``, ``record`` and so on."""
    members: tuple[Field, ...] = ()
    """The fields of the records in an array of records; none for other types."""

    @property
    def required(self) -> bool:
        """Whether a record must give it."""
        return self.default is REQUIRED

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of an enum; none for other types."""
        return tuple(self.type["symbols"]) if self.primitive == "enum" else ()


@dataclass(frozen=True, slots=True)
class Schema:
    """A record type: its definition, its fields in order, and its fingerprint (8 bytes, as framed)."""

    name: str
    definition: Definition
    fields: tuple[Field, ...]
    fingerprint: bytes
    names: tuple[str, ...]
    """The names of the fields, in order."""

    def field(self, name: str) -> Field:
        """The field of this name; UsageError, with the nearest known one, when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise UsageError(f"{self.name} has no field {name!r}{nearest(name, self.names)}")


def nearest(word: str, known: tuple[str, ...]) -> str:
    """``: did you mean 'x'?`` for the known word most like this one; empty when none is alike."""
    matches = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {matches[0]!r}?" if matches else ""


@cache
def schema(record_type: str) -> Schema:
    """The schema of a record type; UsageError, with the nearest known one, for an unknown type."""
    if record_type not in RECORD_TYPES:
        raise UsageError(f"there is no record type {record_type!r}{nearest(record_type, RECORD_TYPES)}")
    definition = cast(Definition, json.loads(_source(record_type)))
    fields = fields_of(definition)
    return Schema(record_type, definition, fields, fingerprint(definition), tuple(field.name for field in fields))


@cache
def earlier() -> tuple[Definition, ...]:
    """The schemas that our own producers wrote with before, which are read for ever, the records' bytes among it."""
    return tuple(cast(Definition, json.loads(_source(f"earlier/{name}"))) for name in _EARLIER)


def _source(name: str) -> str:
    packaged = resources.files("seamwatch").joinpath("schemas", "avro", f"{name}.avsc")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    # In a checkout they lie at its top, where producers in other languages look for them.
    checkout = Path(__file__).parents[2] / "schemas" / "avro" / f"{name}.avsc"
    return checkout.read_text(encoding="utf-8")


def fingerprint(definition: Definition) -> bytes:
    """The CRC-64-AVRO fingerprint of a schema's parsing canonical form: 8 bytes, little-endian, as framed.

    Raises UndecodableRecord when the definition is not an Avro schema.
    """
    try:
        canonical = fastavro.schema.to_parsing_canonical_form(definition)
        return bytes.fromhex(str(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")))
    except Exception as error:
        raise UndecodableRecord(f"not an Avro schema: {error}") from error


def fields_of(definition: Definition) -> tuple[Field, ...]:
    """The fields of a record definition."""
    return tuple(_field(field) for field in definition["fields"])


def _field(definition: Definition) -> Field:
    kind, nullable = unwrap(definition["type"])
    bare = plain(kind)
    items = bare.get("items") if isinstance(bare, dict) else None
    return Field(
        name=definition["name"],
        type=bare,
        doc=definition.get("doc", ""),
        nullable=nullable,
        default=definition.get("default", REQUIRED),
        time=isinstance(kind, dict) and kind.get("logicalType") == "timestamp-micros",
        minimum=definition.get("seamwatch.minimum"),
        maximum=definition.get("seamwatch.maximum"),
        excluded=_pair(definition.get("seamwatch.excluded")),
        identity=definition.get("seamwatch.identity"),
        primitive=str(bare["type"]) if isinstance(bare, dict) else str(bare),
        members=fields_of(items) if isinstance(items, dict) and items.get("type") == "record" else (),
    )


def _pair(bounds: Any) -> tuple[int, int] | None:
    return None if bounds is None else (bounds[0], bounds[1])


def unwrap(kind: Any) -> tuple[Any, bool]:
    """The one branch beside null of a nullable type, and True; any other type itself, and False."""
    if isinstance(kind, list) and len(kind) == 2 and "null" in kind:
        return kind[1 - kind.index("null")], True
    return kind, False


def plain(kind: Any) -> Any:
    """An Avro type without its logical types, so that times stay whole microseconds."""
    if isinstance(kind, list):
        return [plain(branch) for branch in kind]
    if not isinstance(kind, dict):
        return kind
    if set(kind) <= {"type", "logicalType"} and isinstance(kind["type"], str):
        return kind["type"]
    nested = ("type", "items", "values", "fields")
    return {key: plain(value) if key in nested else value for key, value in kind.items() if key != "logicalType"}
