"""Records for the tests of the store and the pager, valid unless told otherwise."""

from __future__ import annotations

import time
import uuid
from typing import Any

from seamwatch.judging.model.facts import Evidence, Violation
from seamwatch.wire.codec import Codec

CODEC = Codec()
NOW = time.time_ns() // 1_000


def inference(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=number, version=4)),
        "event_time": NOW - number,
        "producer": "scoring",
        "environment": "test",
        "system": f"credit-{number % 3}",
        "version": "1",
        "use_case": "loan",
        "subject": f"s{number}",
        "score": (number % 100) / 100,
        "decision": "accept",
        "trace_id": f"t{number // 2}",
        "attributes": [{"key": "number", "value": str(number)}] if number % 2 else [],
        **fields,
    }


def encoded(record_type: str = "inference", **fields: Any) -> bytes:
    record = inference(**fields) if record_type == "inference" else fields
    return CODEC.encode(record_type, record)


def violation(number: int = 0, **fields: Any) -> Violation:
    values: dict[str, Any] = {
        "violation_id": f"v{number:04d}",
        "contract": "credit-data",
        "contract_version": "1",
        "contract_digest": "d" * 64,
        "clause": "fresh",
        "kind": "freshness",
        "system": "credit-feed",
        "slice": None,
        "severity": "breach",
        "state": "open",
        "observed": 97_200.0,
        "limit": 93_600.0,
        "unit": "s",
        "summary": "credit-feed is 27 h old; agreed are 26 h",
        "opened_at": NOW - 60_000_000,
        "since": None,
        "detected_at": NOW,
        "person": "ann",
        "evidence": (Evidence(0, "e1", "t", 0, 5),),
    }
    return Violation(**{**values, **fields})
