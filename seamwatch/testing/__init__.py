"""For tests of services and of Seamwatch itself: an emitter that records, and events in a few words. No broker."""

from seamwatch.testing.events import (
    T0,
    acknowledgement,
    attestation,
    config_change,
    dataset_refresh,
    event_id,
    inference,
    named,
    outcome,
    suspension,
    tool_call,
)
from seamwatch.testing.recording import RecordingEmitter

__all__ = [
    "T0",
    "RecordingEmitter",
    "acknowledgement",
    "attestation",
    "config_change",
    "dataset_refresh",
    "event_id",
    "inference",
    "named",
    "outcome",
    "suspension",
    "tool_call",
]
