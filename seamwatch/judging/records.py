"""Values: the frozen values between stages as records for the codec, and back.

Only shapes are changed here; bytes are the codec's. The rare events inside a measurement travel as framed bytes of
their own, so that these two functions need a codec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from seamwatch.judging.model.facts import (
    Evidence,
    Fact,
    ForwardedEvent,
    InputPartitions,
    Measurement,
    Unknown,
    Violation,
    Watermark,
)
from seamwatch.wire.codec import Codec

_OF_FACT: Final = tuple(field.name for field in fields(Fact))


def violation_record(violation: Violation) -> dict[str, Any]:
    """The record of a violation. Its evidence is references: event times and values are not on the wire."""
    return {
        **asdict(violation),
        "evidence": [{"event_id": item.event_id, **_position(item)} for item in violation.evidence],
    }


def violation_of(record: Mapping[str, Any]) -> Violation:
    """The violation in a record. Evidence keeps its order; its event times, not on the wire, are 0."""
    evidence = tuple(Evidence(0, item["event_id"], *_place(item)) for item in record["evidence"])
    return Violation(**{**record, "evidence": evidence, "unsigned_by": tuple(record["unsigned_by"])})


def measurement_record(measurement: Measurement, codec: Codec) -> dict[str, Any]:
    """The record of a measurement. Raises RecordError for a forwarded event that cannot be encoded."""
    return {
        "measured_at": measurement.measured_at,
        "watermarks": [asdict(mark) for mark in measurement.watermarks],
        "facts": [_fact_record(fact) for fact in measurement.facts],
        "events": [
            {
                "type": event.type,
                "topic": event.topic or "",
                "partition": event.partition or 0,
                "offset": event.offset or 0,
                "record": codec.encode(event.type, event.record),
                "arrived": event.arrived,
            }
            for event in measurement.events
        ],
        "began": measurement.began,
        "unknowns": [asdict(unknown) for unknown in measurement.unknowns],
        **_inputs_record(measurement.inputs),
    }


def measurement_of(record: Mapping[str, Any], codec: Codec) -> Measurement:
    """The measurement in a record. Raises RecordError for a forwarded event that cannot be decoded."""
    return Measurement(
        record["measured_at"],
        tuple(Watermark(**mark) for mark in record["watermarks"]),
        tuple(_fact_of(fact) for fact in record["facts"]),
        tuple(
            # Whoever forwarded it took it in, by the rules of its release.
            ForwardedEvent(
                item["type"],
                codec.decode(item["type"], item["record"], earlier=True),
                *_place(item),
                item["arrived"],
            )
            for item in record["events"]
        ),
        record["began"],
        tuple(Unknown(**unknown) for unknown in record["unknowns"]),
        _inputs_of(record),
    )


def _inputs_record(inputs: InputPartitions | None) -> dict[str, Any]:
    if inputs is None:
        return {}
    topics = [{"topic": topic, "partitions": number} for topic, number in inputs.partitions]
    return {"inputs": topics, "inputs_as_of": inputs.as_of}


def _inputs_of(record: Mapping[str, Any]) -> InputPartitions | None:
    if record["inputs_as_of"] is None:
        return None
    return InputPartitions(
        record["inputs_as_of"], tuple((each["topic"], each["partitions"]) for each in record["inputs"])
    )


def _fact_record(fact: Fact) -> dict[str, Any]:
    return {
        **{name: getattr(fact, name) for name in _OF_FACT},
        "histogram": list(fact.histogram),
        "sums": list(fact.sums),
        "missing": list(fact.missing),
        "evidence": [
            {
                "event_id": item.event_id,
                "event_time": item.event_time,
                **_position(item),
                "value": item.value,
                "label": item.label,
            }
            for item in fact.evidence
        ],
    }


def _fact_of(record: Mapping[str, Any]) -> Fact:
    evidence = tuple(
        Evidence(item["event_time"], item["event_id"], *_place(item), item["value"], item["label"])
        for item in record["evidence"]
    )
    lists = {name: tuple(record[name]) for name in ("histogram", "sums", "missing")} | {"evidence": evidence}
    return Fact(**{**record, **lists})


def _position(item: Evidence) -> dict[str, Any]:
    return {"topic": item.topic, "partition": item.partition, "offset": item.offset}


def _place(item: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return item["topic"], item["partition"], item["offset"]
