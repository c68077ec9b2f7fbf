"""Events in a few words: every builder fills in what a test does not care about; all fields can be given."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from seamwatch.wire.events import (
    Acknowledgement,
    Attestation,
    ConfigChange,
    DatasetRefresh,
    Inference,
    Outcome,
    Suspension,
    ToolCall,
)
from seamwatch.wire.identities import held

T0: Final = 1_772_409_600_000_000
"""2026-03-02T00:00:00Z in microseconds: a Monday, when events here happen unless they say otherwise."""

_UUID_BYTES: Final = 16
_READABLE: Final = 8
_EVENT: Final = {"event_time": T0, "producer": "test", "environment": "test"}


def event_id(name: str) -> str:
    """The event id that a test calls ``name``: the same UUID each time, and another for each name.

    Ids of names of up to sixteen bytes sort as the names do, and `named` reads them again.
    """
    letters = name.encode()
    if len(letters) > _UUID_BYTES:
        letters = letters[:_READABLE] + sha256(letters).digest()[: _UUID_BYTES - _READABLE]
    return str(UUID(bytes=letters.ljust(_UUID_BYTES, b"\0")))


def named(event_id: str) -> str:
    """The name that `event_id` made an id of; anything else as it is."""
    if held(event_id) is None:
        return event_id
    letters = UUID(event_id).bytes.rstrip(b"\0")
    return letters.decode() if letters.isascii() and letters.decode().isprintable() else event_id


def inference(**fields: Any) -> Inference:
    """A decision of ``scorer`` version ``v1``."""
    return Inference(**{**_EVENT, "system": "scorer", "version": "v1", "score": 0.5, "subject": "s1", **fields})


def tool_call(**fields: Any) -> ToolCall:
    """A call of ``lookup`` by ``agent`` version ``v1``, within trace ``t1``."""
    defaults = {"system": "agent", "version": "v1", "tool": "lookup", "arguments": {}, "trace_id": "t1"}
    return ToolCall(**{**_EVENT, **defaults, **fields})


def config_change(**fields: Any) -> ConfigChange:
    """An announced model change ``c1`` of ``scorer``, from ``v1`` to ``v2``."""
    defaults = {
        "system": "scorer",
        "change_id": "c1",
        "kind": "model",
        "from_value": "v1",
        "to_value": "v2",
        "effective_at": T0,
        "summary": "v1 becomes v2",
        "announced_by": "owner@example.org",
    }
    return ConfigChange(**{**_EVENT, **defaults, **fields})


def acknowledgement(**fields: Any) -> Acknowledgement:
    """The owner accepts change ``c1`` of ``scorer``."""
    defaults = {
        "system": "scorer",
        "of": "change",
        "reference": "c1",
        "person": "owner@example.org",
        "answer": "accept",
    }
    return Acknowledgement(**{**_EVENT, **defaults, **fields})


def dataset_refresh(**fields: Any) -> DatasetRefresh:
    """Dataset ``features`` brought up to date as of its event time, 1,000 rows."""
    moment = fields.get("event_time", T0)
    defaults = {"system": "features", "data_as_of": moment, "row_count": 1_000}
    return DatasetRefresh(**{**_EVENT, **defaults, **fields})


def outcome(**fields: Any) -> Outcome:
    """Inference ``i1`` of ``scorer`` turned out true."""
    moment = fields.get("event_time", T0)
    return Outcome(
        **{**_EVENT, "system": "scorer", "inference_id": "i1", "label": 1.0, "observed_at": moment, **fields}
    )


def attestation(**fields: Any) -> Attestation:
    """The owner attests a review of ``scorer``."""
    defaults = {
        "system": "scorer",
        "subject": "scorer-contract#review",
        "kind": "review",
        "person": "owner@example.org",
    }
    return Attestation(**{**_EVENT, **defaults, **fields})


def suspension(**fields: Any) -> Suspension:
    """The owner suspends ``scorer``."""
    defaults = {"system": "scorer", "person": "owner@example.org", "reason": "it refunds too much"}
    return Suspension(**{**_EVENT, **defaults, **fields})
