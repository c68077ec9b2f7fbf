"""Events: what producers publish, as frozen typed values; fields as in the schemas of `schemas/avro/`.

``event_id`` is made with the event, so that an event sent twice counts once. ``producer``, ``environment`` and
``event_time`` are the emitter's where an event leaves them out. Types and bounds are checked when it is encoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Literal

import uuid_utils

Moment = int | datetime
"""A time: whole microseconds since the epoch, or a datetime with a time zone."""


def new_event_id() -> str:
    """A new UUIDv7: unique, and ordered by when it was made."""
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's Ed25519 signature (base64) under a change."""

    person: str
    key_id: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has."""

    type: ClassVar[str]

    event_id: str = field(default_factory=new_event_id)
    event_time: Moment | None = None
    producer: str | None = None
    environment: str | None = None
    trace_id: str | None = None
    parent_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    system: str

    def record(self, **left_out: Any) -> dict[str, Any]:
        """The event as a record for the codec; ``left_out`` are the values of the fields it leaves out."""
        record: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in ("event_time", "producer", "environment"):
            if record[name] is None:
                del record[name]
        # What is no mapping is handed on as it is: the codec says what is wrong with it.
        if isinstance(self.attributes, Mapping):
            record["attributes"] = [{"key": key, "value": value} for key, value in self.attributes.items()]
        return left_out | record


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference(Event):
    """One decision or answer served by a model."""

    type: ClassVar[str] = "inference"

    version: str
    config_digest: str | None = None
    use_case: str = "default"
    subject: str = ""
    score: float | None = None
    confidence: float | None = None
    decision: str | None = None
    latency_ms: float | None = None
    fallback: bool = False
    abuse: bool = False
    human_review: bool = False
    data_as_of: Moment | None = None
    cohort: str | None = None
    approval_id: str | None = None
    input_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(Event):
    """One call of a tool by an agent; ``arguments`` is a mapping, or one JSON object as text."""

    type: ClassVar[str] = "tool_call"

    version: str
    config_digest: str | None = None
    tool: str
    arguments: Mapping[str, Any] | str = "{}"
    resource: str | None = None
    authorisation: str | None = None
    decision: Literal["allowed", "denied", "escalated"] = "allowed"
    confidence: float | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange(Event):
    """A change to a running system, announced."""

    type: ClassVar[str] = "config_change"

    change_id: str
    kind: Literal["model", "prompt", "retrieval", "tools", "threshold", "data_source", "schema", "provider", "policy"]
    from_value: str | None = None
    to_value: str | None = None
    config_digest: str | None = None
    effective_at: Moment
    summary: str = ""
    announced_by: str
    signatures: Sequence[Signature] = ()
    withdrawn: bool = False

    def record(self, **left_out: Any) -> dict[str, Any]:
        """The event as a record for the codec."""
        signatures = [asdict(item) if isinstance(item, Signature) else item for item in self.signatures]
        # Zero-argument super() does not know a class that slots=True has made anew.
        return {**Event.record(self, **left_out), "signatures": signatures}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement(Event):
    """A person's answer to a change, a violation or a summary."""

    type: ClassVar[str] = "acknowledgement"

    of: Literal["change", "violation", "summary"]
    reference: str
    person: str
    answer: Literal["accept", "object", "retract"]
    note: str | None = None
    key_id: str | None = None
    signature: str | None = None
    change_digest: str | None = None
    relayed_by: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRefresh(Event):
    """A dataset was brought up to date; ``system`` is the dataset's id, ``cohorts`` the rows of each cohort.

    ``row_count`` is None where the producer does not know it.
    """

    type: ClassVar[str] = "dataset_refresh"

    version: str | None = None
    data_as_of: Moment
    row_count: int | None = None
    sources: Sequence[str] = ()
    cohorts: Mapping[str, int] = field(default_factory=dict)
    schema_digest: str | None = None
    attested_by: str | None = None
    key_id: str | None = None
    signature: str | None = None

    def record(self, **left_out: Any) -> dict[str, Any]:
        """The event as a record for the codec."""
        record = Event.record(self, **left_out)
        if isinstance(self.cohorts, Mapping):
            record["cohorts"] = [{"cohort": name, "count": count} for name, count in self.cohorts.items()]
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Event):
    """What a decision turned out to be; ``inference_id`` is the decision's event_id."""

    type: ClassVar[str] = "outcome"

    inference_id: str
    score: float | None = None
    cohort: str | None = None
    label: float
    observed_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation(Event):
    """A person attests that something agreed was done."""

    type: ClassVar[str] = "attestation"

    subject: str
    kind: Literal[
        "review",
        "coverage",
        "lineage",
        "benchmark",
        "drill",
        "follow_up",
        "action",
        "reevaluation",
        "incident",
        "report",
        "silence",
    ]
    metric: str | None = None
    value: float | None = None
    person: str
    evidence_uri: str | None = None
    key_id: str | None = None
    signature: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Event):
    """A person suspends a system, one of its versions or one of its tools, or resumes it.

    ``until``: when the suspension ends by itself. ``contract`` is the judge's own, and counts from nobody else.
    """

    type: ClassVar[str] = "suspension"

    version: str | None = None
    tool: str | None = None
    state: Literal["suspended", "resumed"] = "suspended"
    person: str
    reason: str = ""
    evidence_uri: str | None = None
    until: Moment | None = None
    contract: str | None = None
    key_id: str | None = None
    signature: str | None = None


EVENTS: tuple[type[Event], ...] = (
    Inference,
    ToolCall,
    ConfigChange,
    Acknowledgement,
    DatasetRefresh,
    Outcome,
    Attestation,
    Suspension,
)
"""Every type of event, in the order of the input types."""
