"""Publishing for the tests of the pager: states of violations, and persons as documents."""

from __future__ import annotations

import json
from typing import Any

from seamwatch.documents.canonical import digest_of
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.records import violation_record
from tests.sinks.estate import Estate
from tests.sinks.samples import CODEC
from tests.waiting import PATIENCE


def publish(own: Estate, *states: Violation) -> None:
    """Say states of violations, as the judge does."""
    producer = own.producer()
    for state in states:
        value = CODEC.encode("violation", violation_record(state))
        producer.produce(own.topics.violations(state.kind), value, key=state.violation_id.encode())
    assert producer.flush(PATIENCE) == 0


def document(own: Estate, content: dict[str, Any], signatures: list[dict[str, str]] | None = None) -> None:
    """Publish a document, as `contracts publish` does."""
    said: dict[str, Any] = {"document": content, "digest": digest_of(content), "published_at": 1}
    if signatures:
        said["signatures"] = signatures
    version = f"@{content['version']}" if content["kind"] == "Contract" else ""
    producer = own.producer()
    producer.produce(own.topics.contracts, json.dumps(said).encode(), key=f"{content['kind']}/{content['id']}{version}")
    assert producer.flush(PATIENCE) == 0


def person(own: Estate, identity: str, *channels: str, **fields: Any) -> None:
    """Publish a person with these channels."""
    document(own, {"kind": "Person", "id": identity, "name": identity.title(), "channels": list(channels), **fields})
