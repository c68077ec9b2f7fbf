"""What the benchmarks feed: inferences of eight systems, each with an id of its own, and ten clauses over them."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bus import clients
from bus.documents import publish_folder
from seamwatch.wire.codec import Codec

SYSTEMS = 8
DISTINCT = 20_000
_ID_AT = slice(11, 47)
"""Where an event's id lies in a framed value: after ten bytes of header and one of length."""

_PERSON = """---
kind: Person
id: owner@example.org
name: Example Owner
"""
_SYSTEMS = "".join(
    f"""---
kind: System
id: system-{number}
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions: [{{version: '2026.1', approvals: [{{id: ap-1, use_case: consumer-credit, approved_by: owner@example.org}}]}}]
"""
    for number in range(SYSTEMS)
)
_CONTRACT = """---
kind: Contract
id: bench
version: '1'
seam: model-to-product
covers: ['system-*']
parties: {provider: {team: models}, consumer: {team: product}}
escalation: [{person: owner@example.org, acknowledge_within: 1h}]
clauses:
- {id: score-valid, kind: range, min: 0, max: 1}
- {id: score-mostly, kind: range, min: 0.001, max: 1, tolerate: 0.05}
- {id: fresh, kind: freshness, of: inference, max_lag: 26h, warn_at: 25h}
- {id: decided, kind: assertion, must: "decision IN ('accept', 'decline', 'refer')"}
- {id: follows, kind: assertion, must: "NOT (decision = 'accept' AND score > 0.999)", at_least: 0.9, window: 1h}
- {id: quick, kind: assertion, must: latency_ms < 5000, at_least: 0.99, window: 1m}
- {id: alone, kind: assertion, must: NOT fallback, where: use_case = 'consumer-credit', at_least: 0.9, window: 1m}
- {id: shift, kind: distribution, reference: {period: {from: 2026-01-01, to: 2026-01-02}}}
- {id: approved, kind: approval}
- {id: announced, kind: change_notice, acknowledgers: [owner@example.org], unannounced: true}
"""
_AGENT = """---
kind: Contract
id: bench-agent
version: '1'
seam: agent-pact
covers: [agent-1]
parties: {provider: {team: agents}, consumer: {team: product}}
clauses:
- {id: tools, kind: scope, tools: [{tool: find_user}]}
"""


def write(folder: Path) -> None:
    """Write the systems, an agent and their contracts as YAML."""
    (folder / "bench.yaml").write_text(_PERSON + _SYSTEMS + _CONTRACT + _AGENT)


def publish(kafka: str, prefix: str, folder: Path) -> None:
    """Publish them."""
    write(folder)
    publish_folder(kafka, prefix, folder)


def decision(chance: random.Random, at: int, system: str) -> dict[str, Any]:
    """A healthy inference of a system at an event time (micros)."""
    return {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "event_time": at,
        "producer": "scoring",
        "environment": "production",
        "system": system,
        "version": "2026.1",
        "use_case": "consumer-credit",
        "subject": f"s-{chance.randrange(1_000_000):06d}",
        "score": chance.uniform(0.002, 0.998),
        "decision": chance.choice(["accept", "decline", "refer"]),
        "latency_ms": chance.lognormvariate(3, 0.5),
        "data_as_of": at - chance.randrange(80_000_000_000),
        "cohort": chance.choice(["18-30", "31-50", "51+"]),
    }


def inferences(events: int, seed: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of so many healthy inferences of the last minutes, no id twice."""
    codec, chance, now = Codec(), random.Random(seed), time.time_ns() // 1_000
    some = [
        codec.encode("inference", decision(chance, now - chance.randrange(60_000_000), f"system-{index % SYSTEMS}"))
        for index in range(min(DISTINCT, events))
    ]
    keys = [b"system-%d" % number for number in range(SYSTEMS)]
    for index in range(events):
        value = some[index % len(some)]
        name = f"018f5a2e-{chance.getrandbits(16):04x}-7000-8000-{index:012x}".encode()
        yield keys[index % SYSTEMS], value[: _ID_AT.start] + name + value[_ID_AT.stop :]


def fill(kafka: str, topic: str, events: int, partitions: int) -> float:
    """Produce so many inferences, evenly over the partitions; their mean size in bytes."""
    producer = clients.producer(
        kafka, {"linger.ms": 20, "batch.num.messages": 100_000, "queue.buffering.max.messages": 2_000_000}
    )
    size = 0
    for index, (key, value) in enumerate(inferences(events)):
        producer.produce(topic, value, key=key, partition=index // 1000 % partitions)
        size += len(value)
        if index % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    return size / events
