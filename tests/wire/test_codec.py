"""The codec: what it takes and gives, and the reason it names for everything else."""

from __future__ import annotations

import io
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from seamwatch.errors import OutOfBounds, RecordError, UndecodableRecord, UsageError
from seamwatch.testing import T0, dataset_refresh, event_id, inference, tool_call
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import confluent_header
from seamwatch.wire.schemas import Definition, schema
from seamwatch.wire.text import text_of

CODEC = Codec()


def encoded(definition: Definition, record: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(deepcopy(definition)), record)
    return stream.getvalue()


def record_of_event(**fields: Any) -> dict[str, Any]:
    return inference(event_id=event_id("e1")).record() | fields


def written(**fields: Any) -> bytes:
    return CODEC.encode("inference", record_of_event(**fields))


def test_a_record_comes_back_whole_with_its_times_as_microseconds() -> None:
    event = inference(
        event_id=event_id("e1"),
        event_time=datetime(2026, 3, 2, tzinfo=UTC),
        attributes={"channel": "web"},
        data_as_of=T0 - 1,
        confidence=0.25,
    )
    record = CODEC.decode("inference", CODEC.encode("inference", event.record()))
    assert set(record) == set(schema("inference").names)
    assert record["event_time"] == T0
    assert record["data_as_of"] == T0 - 1
    assert record["attributes"] == [{"key": "channel", "value": "web"}]
    assert (record["score"], record["confidence"], record["decision"]) == (0.5, 0.25, None)


def test_numbers_of_other_libraries_are_taken_for_what_they_are() -> None:
    import numpy as np

    value = written(score=np.float32(0.5), fallback=np.bool_(True), event_time=np.int64(T0))
    record = CODEC.decode("inference", value)
    assert (record["score"], record["fallback"], record["event_time"]) == (0.5, True, T0)


def test_tool_arguments_may_be_an_object() -> None:
    value = CODEC.encode("tool_call", tool_call(arguments={"amount": 5}).record())
    assert CODEC.decode("tool_call", value)["arguments"] == '{"amount":5}'


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"score": float("nan")}, OutOfBounds, "score is nan, which is not a finite number"),
        ({"confidence": 1.5}, OutOfBounds, "confidence is 1.5, above the bound of 1"),
        ({"latency_ms": -1}, OutOfBounds, "latency_ms is -1.0, below the bound of 0"),
        ({"event_time": 5}, OutOfBounds, "event_time is 1970-01-01T00:00:00.000005Z, below the bound of 2000-01-01"),
        ({"event_time": 2**62}, OutOfBounds, f"event_time is {2**62}, above the bound of 2100-01-01"),
        ({"event_time": 2**70}, OutOfBounds, "does not fit long"),
        ({"event_time": datetime(2026, 3, 2)}, RecordError, "names no time zone"),  # noqa: DTZ001
        ({"score": "0.5"}, RecordError, "score is '0.5'; it must be a number"),
        ({"score": True}, RecordError, "score is True; it must be a number"),
        ({"system": None}, RecordError, "system is null; it must be text"),
        ({"fallback": 1}, RecordError, "fallback is 1; it must be true or false"),
        ({"systm": "x"}, RecordError, "inference has no field 'systm': did you mean 'system'"),
        ({"attributes": [{"key": "a", "valu": "b"}]}, RecordError, "did you mean 'value'"),
        ({"subject": "x" * 600_000}, OutOfBounds, "too large"),
    ],
)
def test_what_is_not_right_is_refused_with_a_reason(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        written(**fields)
    assert type(caught.value) is error
    assert words in str(caught.value)


def test_bounds_hold_inside_lists() -> None:
    with pytest.raises(OutOfBounds, match=r"cohorts\[1\].count is -1, below the bound of 0"):
        CODEC.encode("dataset_refresh", dataset_refresh(cohorts={"a": 1, "b": -1}).record())


def test_an_enum_names_its_symbols() -> None:
    with pytest.raises(RecordError, match="none of allowed, denied, escalated: did you mean 'allowed'"):
        CODEC.encode("tool_call", {**tool_call().record(), "decision": "alowed"})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda v: b"", "empty"),
        (lambda v: b'{"type": "inference"}', "not framed: starts with 7b 22 74 79"),
        (lambda v: v[:7], "truncated: 7 bytes end inside the schema's fingerprint"),
        (lambda v: v[:-1], "truncated"),
        (lambda v: v + b"x", "1 trailing bytes after the inference"),
        (lambda v: v + v, "trailing bytes"),
        (lambda v: v[:10], "truncated: 0 bytes"),
        (lambda v: b"\xc3\x01" + b"unknown!" + v[10:], "unknown schema fingerprint 756e6b6e6f776e21"),
        (lambda v: confluent_header(77) + v[10:], "id 77: no registry is configured (SEAMWATCH_SCHEMA_REGISTRY_URL)"),
        (lambda v: CODEC.encode("tool_call", tool_call().record()), "it is a record of type tool_call"),
        (lambda v: v[:10] + b"\xff" * 600_000, "too large: 600010 bytes"),
    ],
)
def test_bytes_that_are_no_record_are_refused_with_a_reason(spoil: Any, words: str) -> None:
    with pytest.raises(RecordError) as caught:
        CODEC.decode("inference", spoil(written()))
    assert words in str(caught.value)


def without(definition: Definition, *names: str) -> Definition:
    return {**definition, "fields": [field for field in definition["fields"] if field["name"] not in names]}


def test_an_older_writer_is_read_with_our_defaults() -> None:
    older = without(schema("inference").definition, "cohort", "fallback", "attributes")
    codec = Codec()
    header = codec.register(older)
    record = codec.decode("inference", header + encoded(older, record_of_event()))
    assert (record["cohort"], record["fallback"], record["attributes"]) == (None, False, [])
    assert record["event_id"] == event_id("e1")


def test_a_newer_writer_is_read_without_its_new_fields() -> None:
    definition = deepcopy(schema("inference").definition)
    newer = {
        **definition,
        "fields": [{"name": "region", "type": {"type": "map", "values": "long"}}, *definition["fields"]],
    }
    codec = Codec()
    header = codec.register(newer, schema_id=7)
    datum = encoded(newer, record_of_event(region={"a": 1}))
    expected = CODEC.decode("inference", written())
    assert codec.decode("inference", header + datum) == expected
    assert codec.decode("inference", confluent_header(7) + datum) == expected


def test_a_writer_with_names_of_its_own_is_read_by_its_fields() -> None:
    definition = deepcopy(schema("tool_call").definition)
    foreign = {**definition, "name": "AgentStep", "namespace": "org.example"}
    codec = Codec()
    header = codec.register(foreign)
    record = tool_call(event_id=event_id("e1")).record() | {"arguments": "{}"}
    assert codec.decode("tool_call", header + encoded(foreign, record))["tool"] == "lookup"


def test_a_writer_that_lacks_what_we_need_is_refused_by_name() -> None:
    codec = Codec()
    lacking = without(schema("inference").definition, "system", "version")
    header = codec.register(lacking)
    with pytest.raises(UndecodableRecord, match="its schema lacks system, version"):
        codec.decode("inference", header + encoded(lacking, record_of_event()))


def test_a_writer_of_milliseconds_is_refused_rather_than_misread() -> None:
    codec = Codec()
    definition = deepcopy(schema("inference").definition)
    definition["fields"][1]["type"]["logicalType"] = "timestamp-millis"
    # The canonical form leaves logical types out, so only a registry's id can tell such a writer apart.
    codec.register(definition, schema_id=3)
    with pytest.raises(UndecodableRecord, match="gives event_time as timestamp-millis: write timestamp-micros"):
        codec.decode("inference", confluent_header(3) + b"")


def test_a_folder_of_schemas_makes_writers_known(tmp_path: Path) -> None:
    import json

    older = without(schema("inference").definition, "cohort")
    (tmp_path / "older.avsc").write_text(json.dumps(older))
    (tmp_path / "12.avsc").write_text(json.dumps(schema("inference").definition))
    codec = Codec(schemas=tmp_path)
    header = Codec().register(older)
    assert codec.decode("inference", header + encoded(older, record_of_event()))["cohort"] is None
    assert codec.decode("inference", confluent_header(12) + written()[10:])["event_id"] == event_id("e1")
    (tmp_path / "wrong.avsc").write_text("{")
    with pytest.raises(UsageError, match=r"wrong\.avsc: not an Avro schema"):
        Codec(schemas=tmp_path)


def test_a_decoded_record_is_shown_as_text() -> None:
    shown = text_of("inference", CODEC.decode("inference", written()))
    assert list(shown)[:3] == ["type", "event_id", "event_time"]
    assert shown["event_time"] == "2026-03-02T00:00:00.000000Z"
