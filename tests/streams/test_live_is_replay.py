"""Live and replay: the same events and contracts give the same violations, whatever happens to the stages."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import Any

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import HOUR, MINUTE
from seamwatch.instants import format_instant
from seamwatch.judging.facts import Violation
from seamwatch.wire.text import record_of
from streams.replay import replay
from tests.streams.stages import CODEC, Scene, wait_until

LENGTH = 3 * HOUR


def documents(start: int) -> str:
    """Contracts of every kind over a model, a dataset and an agent, with a reference in the first hour."""
    party = "{team: example, signatory: owner@example.org}"
    head = f"""
version: "1"
parties: {{provider: {party}, consumer: {party}}}
clauses:"""
    return f"""
kind: Person
id: owner@example.org
name: Example Owner
---
kind: System
id: model
type: model
owner: owner@example.org
versions: [{{version: v1, approvals: [{{id: A1, use_case: credit}}]}}]
---
kind: Contract
id: model-contract
seam: data-to-model
covers: [model]{head}
  - {{id: valid, kind: range, min: 0, max: 1}}
  - {{id: mostly-valid, kind: range, min: 0, max: 1, tolerate: 0.01, window: 10m}}
  - {{id: fresh, kind: freshness, of: inference, max_lag: 26h, warn_at: 20h}}
  - {{id: approved, kind: approval}}
  - {{id: told, kind: change_notice, unannounced: true}}
  - {{id: quick, kind: assertion, must: latency_ms < 500, at_least: 0.99, window: 5m, min_count: 20}}
  - {{id: shape, kind: distribution, by: cohort,
      reference: {{period: {{from: "{format_instant(start)}", to: "{format_instant(start + HOUR)}"}}}}}}
---
kind: Contract
id: claims-contract
seam: data-to-model
covers: [claims]{head}
  - {{id: fresh, kind: freshness, max_lag: 30m, warn_at: 20m}}
---
kind: Contract
id: agent-contract
seam: agent-pact
covers: [agent]{head}
  - {{id: tools, kind: scope, tools: [{{tool: find}}, {{tool: refund, where: arguments.amount <= 10}}]}}
  - {{id: sound, kind: assertion, on: tool_call, must: "arguments.amount IS NOT NULL"}}
  - {{id: changes, kind: change_notice, kinds: [prompt], acknowledgers: [owner@example.org],
      acknowledge_within: 30m}}
"""


def history(start: int) -> list[tuple[str, dict[str, Any]]]:
    """Three hours of events with something for every clause, in event-time order."""
    chance = random.Random(11)
    events: list[tuple[str, dict[str, Any]]] = []

    def add(record_type: str, at: int, **fields: Any) -> None:
        event = {"type": record_type, "event_time": at, "event_id": f"{record_type}-{len(events):06d}", **fields}
        events.append(record_of(event))

    for number in range(24_000):
        at = start + number * LENGTH // 24_000
        drifted, faulty = number > 18_000, 10_000 < number < 12_000
        score = chance.gauss(0.6 if drifted else 0.5, 0.15)
        add(
            "inference", at, system="model", version="v3" if number == 15_000 else "v1", use_case="credit",
            score=1.7 if faulty and chance.random() < 0.03 else min(1.0, max(0.0, score)), cohort=chance.choice("ab"),
            latency_ms=600 if faulty and chance.random() < 0.05 else 20,
            data_as_of=at - (30 if number in (5_000, 5_001) else 2) * HOUR,
        )  # fmt: skip
    for minutes in (5, 20, 60, 140, 145):
        at = start + minutes * MINUTE
        add("dataset_refresh", at, system="claims", data_as_of=at, row_count=3)
    for number in range(400):
        tool = "find" if number % 7 else ("refund" if number % 3 else "delete")
        arguments = {"amount": number % 15} if number % 11 else {}
        add(
            "tool_call", start + number * LENGTH // 400, system="agent", version="1", tool=tool,
            arguments=json.dumps(arguments), trace_id=f"t{number // 4}",
        )  # fmt: skip
    for minutes, change in ((30, "late"), (50, "in-time"), (90, "never")):
        at = start + minutes * MINUTE
        add("config_change", at, system="agent", change_id=change, kind="prompt", effective_at=at, summary="-",
            announced_by="example", to_value=change)  # fmt: skip
    for minutes, change in ((65, "late"), (55, "in-time")):
        add("acknowledgement", start + minutes * MINUTE, system="agent", of="change", reference=change,
            person="owner@example.org", answer="accept")  # fmt: skip
    return sorted(events, key=lambda event: (event[1]["event_time"], event[1]["event_id"]))


def seen(violation: Violation | Mapping[str, Any]) -> tuple[Any, ...]:
    """What must be equal: everything but positions, the judge's clock and what follows from it."""
    record = violation if isinstance(violation, Mapping) else None
    if record is not None:
        ids = tuple(item["event_id"] for item in record["evidence"])
        fields = {**record, "ids": ids}
    else:
        assert isinstance(violation, Violation)
        ids = tuple(item.event_id for item in violation.evidence)
        fields = {name: getattr(violation, name) for name in Violation.__slots__} | {"ids": ids}
    names = ("violation_id", "clause", "system", "slice", "severity", "opened_at", "since", "observed", "limit",
             "unit", "summary", "person", "contract_digest", "ids")  # fmt: skip
    return tuple(fields[name] for name in names)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "spread over partitions"])
def test_a_history_loaded_in_bulk_is_judged_as_replay_judges_it(scene: Scene, keyed: bool) -> None:
    start = (time.time_ns() // 1_000 - LENGTH) // MINUTE * MINUTE - 5 * MINUTE
    scene.publish(documents(start))
    scene.start("measure")
    scene.start("judge")
    events = history(start)
    estate = Estate.load(scene.folder)
    expected = {seen(v) for v in replay(estate, events)}
    assert {clause for _, clause, *_ in expected} == {
        "valid", "mostly-valid", "fresh", "approved", "told", "quick", "shape", "tools", "sound", "changes",
    }  # fmt: skip

    # Reading a topic takes a moment each, and a kind that no contract uses cannot be violated.
    used = {clause.kind_name for contract in estate.all_contracts() for clause in contract.clauses}
    kills = {8_000: "measure", 16_000: "judge"}
    for number, (record_type, record) in enumerate(events):
        scene.send(record_type, CODEC.encode(record_type, record), record["system"] if keyed else None)
        if number in kills:
            scene.kill(kills[number])
            scene.start(kills[number])

    def live() -> set[tuple[Any, ...]]:
        latest = {v["violation_id"]: v for kind in used for v in scene.violations(kind)}
        return {seen(v) for v in latest.values() if v["opened_at"] <= events[-1][1]["event_time"]}

    scene.caught_up("measure", 120)
    wait_until(lambda: live() >= expected, 60, "the violations of the replay")
    assert live() == expected
