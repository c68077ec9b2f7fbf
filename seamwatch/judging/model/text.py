"""Violations as text: the one JSON object a line that `replay` and `violations --json` print.

Formatting only.
"""

from __future__ import annotations

import json
from typing import Any

from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation

_TIMES = ("opened_at", "since", "detected_at", "acknowledged_at", "resolved_at")


def violation_object(violation: Violation) -> dict[str, Any]:
    """The fields of a violation in their documented order; times as RFC 3339, absent ones null."""
    shown: dict[str, Any] = {}
    for name in Violation.__slots__:
        value = getattr(violation, name)
        if name == "evidence":
            value = [
                {"topic": e.topic, "partition": e.partition, "offset": e.offset, "event_id": e.event_id}
                for e in violation.evidence
            ]
        elif name == "unsigned_by":
            value = list(violation.unsigned_by)
        elif name in _TIMES and value is not None:
            value = format_instant(value)
        shown[name] = value
    return shown


def violation_line(violation: Violation) -> str:
    """One line of NDJSON, without the line end."""
    return json.dumps(violation_object(violation), ensure_ascii=False)
