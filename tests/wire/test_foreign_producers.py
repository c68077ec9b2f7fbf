"""A producer needs nothing of ours: any Avro library and any Kafka client will do, in either framing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import fastavro
import fastavro.schema
import pytest
from confluent_kafka import Producer

from bus.tail import tail
from bus.topics import create_topics
from seamwatch.columnar.decode import decode
from seamwatch.testing import T0
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from tests.waiting import PATIENCE
from tests.wire.console_producer import produce_line

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "avro" / "inference.avsc").read_text())
EVENT = {
    "event_id": "0195a1b2-0000-7000-8000-000000000001",
    "event_time": T0,
    "producer": "svc",
    "environment": "staging",
    "system": "scorer",
    "version": "v1",
    "use_case": "credit",
    "subject": "p-1",
    "score": 0.25,
}
SCHEMA_ID = 42


@pytest.fixture
def created(kafka: str, topics: str) -> Topics:
    create_topics(kafka, topics, 2)
    return Topics(topics)


def read(kafka: str, topics: Topics) -> list[dict[str, object]]:
    """What both our decoders make of the topic, by a codec that knows the Confluent id."""
    codec = Codec()
    codec.register(SCHEMA, SCHEMA_ID)
    values = [message.value for message in tail(kafka, topics, ["inference"])]
    records = [codec.decode("inference", value or b"") for value in values]
    decoded = decode("inference", values, codec=codec)
    assert (decoded.frame.to_dicts(), decoded.rejects) == (records, [])
    return records


def test_plain_fastavro_and_confluent_kafka_in_both_framings(kafka: str, created: Topics) -> None:
    parsed = fastavro.parse_schema(SCHEMA)
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, parsed, EVENT)
    canonical = fastavro.schema.to_parsing_canonical_form(SCHEMA)
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    producer = Producer({"bootstrap.servers": kafka})
    for header in (b"\xc3\x01" + fingerprint, b"\x00" + SCHEMA_ID.to_bytes(4, "big")):
        producer.produce(f"{created.prefix}.inference", header + datum.getvalue(), b"scorer")
    assert producer.flush(PATIENCE) == 0

    first, second = read(kafka, created)
    assert first == second
    assert {name: first[name] for name in EVENT} == EVENT
    assert (first["cohort"], first["fallback"], first["attributes"]) == (None, False, [])


def test_kafkas_own_console_producer(kafka: str, created: Topics) -> None:
    # It sends lines of UTF-8. Avro bytes are such a line only by choice: an event time whose bytes pair up as UTF-8,
    # no score, and no text of five letters (whose length is written as a line end).
    event = {**EVENT, "event_time": utf8_time(), "score": None}
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, fastavro.parse_schema(SCHEMA), event)
    value = b"\x00" + SCHEMA_ID.to_bytes(4, "big") + datum.getvalue()
    value.decode("utf-8")
    assert not {0x0A, 0x0D} & set(value)
    produce_line(kafka, f"{created.prefix}.inference", value)

    (record,) = read(kafka, created)
    assert {name: record[name] for name in event} == event


def utf8_time() -> int:
    """A time in 2026 whose Avro bytes are UTF-8: two, two and three bytes that belong together, and one of ASCII."""
    encoded = bytes([0xC2, 0x80, 0xC2, 0x80, 0xE1, 0x80, 0xA5, 0x06])
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(encoded)) >> 1
