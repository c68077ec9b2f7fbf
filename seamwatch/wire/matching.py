"""Matching: whether any value of a writer's type can be read as ours, by Avro's rules of resolution.

Told from the two schemas, before a record is read. Where only some values can (one branch of a union, one symbol of an
enum) each record is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seamwatch.errors import UndecodableRecord
from seamwatch.wire.schemas import Definition, Schema, plain

_PROMOTIONS: Mapping[str, tuple[str, ...]] = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
_PRIMITIVES = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
Names = dict[str, Any]
"""The named types of a writer's schema."""


def demand_types(schema: Schema, definition: Definition, *, beside_null: bool = False) -> None:
    """Raise UndecodableRecord, naming the field, where the writer gives one in a type that no value of ours has.

    ``beside_null``: also where null alone could be read, so that whatever the writer has to say there is lost.
    """
    writer = plain(definition)
    names: Names = {}
    _collect(writer, names)
    given = {field["name"]: field["type"] for field in writer["fields"]}
    for field in plain(schema.definition)["fields"]:
        if field["name"] not in given:
            continue
        kind = given[field["name"]]
        said = [branch for branch in kind if branch != "null"] if beside_null and isinstance(kind, list) else []
        if not _matches(said or kind, field["type"], names):
            raise UndecodableRecord(
                f"its schema gives {field['name']} as {_said(kind, names)}: write {_said(field['type'], {})}"
            )


def _matches(writer: Any, reader: Any, names: Names) -> bool:
    writer = names.get(writer, writer) if isinstance(writer, str) else writer
    if isinstance(writer, list):
        return any(_matches(branch, reader, names) for branch in writer)
    if isinstance(reader, list):
        return any(_matches(writer, branch, names) for branch in reader)
    theirs, ours = _name(writer), _name(reader)
    if theirs in _PRIMITIVES:
        return theirs == ours or ours in _PROMOTIONS.get(theirs, ())
    if theirs != ours:
        return False
    if theirs == "array":
        return _matches(writer["items"], reader["items"], names)
    if theirs == "record":
        return _members_match(writer, reader, names)
    return True


def _members_match(writer: Any, reader: Any, names: Names) -> bool:
    given = {field["name"]: field["type"] for field in writer["fields"]}
    return all(
        _matches(given[field["name"]], field["type"], names) if field["name"] in given else "default" in field
        for field in reader["fields"]
    )


def _name(kind: Any) -> str:
    return str(kind["type"]) if isinstance(kind, dict) else str(kind)


def _said(kind: Any, names: Names) -> str:
    """A type in words."""
    kind = names.get(kind, kind) if isinstance(kind, str) else kind
    if isinstance(kind, list):
        return " or ".join(_said(branch, names) for branch in kind)
    if not isinstance(kind, dict):
        return str(kind)
    if kind["type"] == "enum":
        return f"an enum of {', '.join(kind['symbols'])}"
    if kind["type"] == "array":
        return f"an array of {_said(kind['items'], names)}"
    if kind["type"] == "map":
        return f"a map of {_said(kind['values'], names)}"
    if kind["type"] == "record":
        return "{" + ", ".join(str(field["name"]) for field in kind["fields"]) + "}"
    return str(kind["type"])


def _collect(kind: Any, names: Names) -> None:
    if isinstance(kind, list):
        for branch in kind:
            _collect(branch, names)
    elif isinstance(kind, dict):
        if "name" in kind and kind.get("type") in ("record", "enum", "fixed", "error"):
            names[str(kind["name"])] = kind
            if "namespace" in kind:
                names[f"{kind['namespace']}.{kind['name']}"] = kind
        for part in (kind.get("items"), kind.get("values"), *(field.get("type") for field in kind.get("fields", ()))):
            _collect(part, names)
