"""The schemas are whole: documented to the last field, of types that every reader of ours can take."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import fastavro
import pytest

from seamwatch.columnar.decode import Decoder
from seamwatch.errors import UsageError
from seamwatch.record_types import INPUT_TYPES, OUTPUT_TYPES, RECORD_TYPES
from seamwatch.testing import T0, event_id
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import EVENTS
from seamwatch.wire.framing import single_object_header
from seamwatch.wire.schemas import earlier, fingerprint, schema

FOLDER = Path(__file__).parents[2] / "schemas" / "avro"
ENVELOPE = ("event_id", "event_time", "producer", "environment", "trace_id", "parent_id", "attributes")


def definitions(kind: Any) -> Iterator[dict[str, Any]]:
    """Every record, enum and field within a type."""
    if isinstance(kind, list):
        for branch in kind:
            yield from definitions(branch)
    elif isinstance(kind, dict):
        if kind.get("type") in ("record", "enum"):
            yield kind
        for field in kind.get("fields", ()):
            yield field
            yield from definitions(field["type"])
        for inner in ("items", "type"):
            yield from definitions(kind.get(inner))


def test_every_file_is_a_record_type_and_every_record_type_a_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.avsc")} == set(RECORD_TYPES)


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_everything_is_documented(record_type: str) -> None:
    undocumented = [item["name"] for item in definitions(schema(record_type).definition) if not item.get("doc")]
    assert undocumented == []


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_names_and_namespace(record_type: str) -> None:
    definition = schema(record_type).definition
    assert (definition["namespace"], definition["name"]) == ("seamwatch", record_type)
    fastavro.parse_schema(json.loads((FOLDER / f"{record_type}.avsc").read_text()))


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_nullable_fields_default_to_null_and_no_type_is_a_map(record_type: str) -> None:
    for item in definitions(schema(record_type).definition):
        kind = item["type"]
        assert "map" not in json.dumps(kind)
        if isinstance(kind, list):
            assert kind[0] == "null"
            assert len(kind) == 2
            assert item.get("default", "none") is None or "default" not in item


@pytest.mark.parametrize("record_type", INPUT_TYPES)
def test_every_event_has_the_envelope_and_a_system(record_type: str) -> None:
    assert schema(record_type).names[:8] == (*ENVELOPE, "system")
    assert schema(record_type).field("event_time").minimum == 946_684_800_000_000


def test_typed_events_have_the_fields_of_their_schemas() -> None:
    assert tuple(event.type for event in EVENTS) == INPUT_TYPES
    for event in EVENTS:
        assert {field.name for field in fields(event)} == set(schema(event.type).names)


def test_a_fingerprint_is_that_of_the_avro_specification() -> None:
    # Test vectors of the Avro project: "null" and "int" by CRC-64-AVRO, little-endian as framed.
    assert fingerprint({"type": "null"}).hex() == "8a8f25cce724dd63"
    assert fingerprint({"type": "int"})[::-1].hex() == "7275d51a3f395c8f"


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'violation'"):
        schema("violations")
    assert "violation" in OUTPUT_TYPES


@pytest.mark.parametrize("definition", earlier(), ids=lambda each: each["name"])
def test_what_our_own_producers_wrote_before_is_read_for_ever_also_in_bulk(
    definition: dict[str, Any],
) -> None:
    name = definition["name"]
    said = {
        "event_id": event_id("before"), "event_time": T0, "system": "claims", "data_as_of": T0, "row_count": 7,
        "change_id": "C-1", "kind": "model", "effective_at": T0, "announced_by": "example", "of": "change",
        "reference": "C-1", "person": "example", "answer": "accept", "violation_id": "v", "contract": "c",
        "contract_version": "1", "contract_digest": "d", "clause": "told", "severity": "breach", "state": "open",
        "summary": "-", "opened_at": T0, "detected_at": T0, "step": 0, "channel": "json", "sent_at": T0, "result": "-",
        "acknowledgement_id": event_id("before"), "counted": True, "reason": "counts", "answered_at": T0,
        "judged_at": T0, "subject": "c#told",
    } | ({"kind": "review"} if name == "attestation" else {})  # fmt: skip
    names = [field["name"] for field in definition["fields"]]
    defaults = {field["name"]: field["default"] for field in definition["fields"] if "default" in field}
    record = defaults | {field: value for field, value in said.items() if field in names}
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, fastavro.parse_schema(deepcopy(definition)), record)
    value = single_object_header(fingerprint(definition)) + datum.getvalue()
    assert fingerprint(definition) != schema(name).fingerprint
    added = {field.name: field.default for field in schema(name).fields if field.name not in names}
    assert Codec().decode(name, value) == record | added
    now: dict[str, dict[str, Any]] = {
        "acknowledgement": {"answer": "retract", "change_digest": "d" * 64, "relayed_by": "replies", "evidence": "{}"},
        "attestation": {"kind": "follow_up", "statement": "{}"},
        "config_change": {"withdrawn": True},
        "page": {"news": "again", "reference": "C1:2"},
        "verdict": {"of": "suspension", "answer": "suspend"},
        "violation": {"unsigned_by": ["example"]},
    }
    newer = now.get(name, {"row_count": None})
    decoded = Decoder(name).decode([value, Codec().encode(name, record | newer)])
    for field, told in newer.items():
        assert decoded.frame[field].to_list() == [(record | added)[field], told], field
