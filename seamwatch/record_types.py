"""Record types: the names of what travels on the topics. Their fields are `schemas/avro/`, read by `seamwatch.wire`."""

from __future__ import annotations

from typing import Final

INPUT_TYPES: Final = (
    "inference",
    "tool_call",
    "config_change",
    "acknowledgement",
    "dataset_refresh",
    "outcome",
    "attestation",
    "suspension",
)
"""What producers publish; each has a topic of its name."""

OUTPUT_TYPES: Final = (
    "measurement",
    "violation",
    "verdict",
    "suspended",
    "notice",
    "page",
    "outage",
    "erasure",
    "checkpoint",
    "dead_letter",
)
"""What the stages publish, and of erasures who erases."""

RECORD_TYPES: Final = INPUT_TYPES + OUTPUT_TYPES
