"""A schema is refused before a record is read exactly where no record of it could be: Avro's own reader has the say."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest

from seamwatch.errors import UndecodableRecord
from seamwatch.wire.resolution import resolve
from seamwatch.wire.schemas import schema

SAMPLES: list[tuple[Any, list[Any]]] = [
    ("null", [None]),
    ("boolean", [True]),
    ("int", [1]),
    ("long", [1]),
    ("float", [0.5]),
    ("double", [0.5]),
    ("string", ["1"]),
    ("bytes", [b"1"]),
    ({"type": "fixed", "name": "f", "size": 1}, [b"1"]),
    ({"type": "enum", "name": "e", "symbols": ["allowed", "other"]}, ["allowed", "other"]),
    ({"type": "enum", "name": "e", "symbols": ["other"]}, ["other"]),
    ({"type": "map", "values": "string"}, [{"a": "b"}]),
    ({"type": "array", "items": "string"}, [["a"], []]),
    ({"type": "array", "items": {"type": "record", "name": "attribute", "fields": [
        {"name": "key", "type": "string"}, {"name": "value", "type": "string"}]}}, [[{"key": "a", "value": "b"}]]),
    ({"type": "array", "items": {"type": "record", "name": "r", "fields": [{"name": "key", "type": "string"}]}},
     [[{"key": "a"}]]),
    ({"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}]}, [{"a": "b"}]),
    (["null", "int"], [None, 1]),
    (["string", "null"], ["1", None]),
    (["null", "string", "double"], [None, "1", 0.5]),
]  # fmt: skip
OURS = schema("tool_call").definition["fields"]
FIELDS = ["tool", "arguments", "confidence", "trace_id", "decision", "attributes", "event_time"]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: str(case[0])[:40])
def test_a_type_is_refused_exactly_where_no_value_of_it_can_be_read(name: str, case: tuple[Any, list[Any]]) -> None:
    kind, values = case
    ours = next(field for field in schema("tool_call").definition["fields"] if field["name"] == name)
    reader = fastavro.parse_schema({"type": "record", "name": "tool_call", "fields": [ours]})
    # Names of types are no matter to us, and are to this reader.
    alike = {**kind, "name": ours["type"]["name"]} if name == "decision" and "symbols" in kind else kind
    writer = fastavro.parse_schema({"type": "record", "name": "tool_call", "fields": [{"name": name, "type": alike}]})
    read = []
    for value in values:
        datum = io.BytesIO()
        fastavro.schemaless_writer(datum, writer, {name: value})
        datum.seek(0)
        try:
            fastavro.schemaless_reader(datum, writer, reader)
        except Exception:  # noqa: BLE001 - whatever the reader says, it could not
            read.append(False)
        else:
            read.append(True)
    fields = [{"name": name, "type": kind} if field["name"] == name else field
              for field in OURS]  # fmt: skip
    theirs = {"type": "record", "name": "theirs", "fields": fields}
    if any(read):
        resolve(schema("tool_call"), theirs)
    elif name != "decision" or kind != SAMPLES[10][0]:
        # An enum of which no symbol is ours is told by each record.
        with pytest.raises(UndecodableRecord, match=f"its schema gives {name} as "):
            resolve(schema("tool_call"), theirs)


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "record", "name": "x"},
        {"type": "record", "name": "x", "fields": [{"type": "string"}]},
        {"type": "record", "name": "x", "fields": {"a": 1}},
        {"type": "record", "name": "x", "fields": [{"name": "event_id"}]},
        {"type": "record", "name": "x", "fields": [*OURS, {"name": "y", "type": "z"}]},
        {"type": "record", "fields": OURS, "name": 5},
        [], "string", None, 5,
    ],
)  # fmt: skip
def test_what_is_no_schema_of_ours_is_said_and_nothing_else_is_raised(definition: Any) -> None:
    with pytest.raises(UndecodableRecord):
        resolve(schema("tool_call"), definition)
