"""A history in a few lines: contracts as YAML, events as dicts, and what a replay finds in them.

Events and the evidence of violations have names here, which are short and sort as they read; a history knows them by
the ids that `seamwatch.testing.event_id` makes of these.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from seamwatch.documents import Estate
from seamwatch.durations import DAY, parse_duration
from seamwatch.instants import parse_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.testing import event_id, named
from seamwatch.wire import text
from seamwatch.wire.identities import held
from streams.replay.replay import replay

T0 = parse_instant("2026-03-02T00:00:00Z")
assert T0 % DAY == 0

PEOPLE = """
apiVersion: seamwatch/v1
kind: Person
id: owner@example.org
name: Example Owner
---
apiVersion: seamwatch/v1
kind: Person
id: second@example.org
name: Example Second
---
"""


def at(offset: str = "") -> int:
    """Micros of a time so long after T0: ``at("1d2h")``."""
    return T0 + (parse_duration(offset) if offset else 0)


def contract(system: str, clauses: str, **more: str) -> str:
    """A contract over one system with these clauses (YAML of the list)."""
    indented = "\n".join("  " + line for line in clauses.strip().splitlines())
    extra = "\n".join(f"{key}: {value}" for key, value in more.items())
    return f"""
apiVersion: seamwatch/v1
kind: Contract
id: example
version: "1"
seam: data-to-model
covers: [{system}]
parties:
  provider: {{team: data, signatory: owner@example.org}}
  consumer: {{team: models, signatory: second@example.org}}
escalation:
  - {{person: owner@example.org, acknowledge_within: 15m}}
  - {{person: second@example.org, acknowledge_within: 30m}}
{extra}
clauses:
{indented}
"""


def estate_of(*documents: str) -> Estate:
    """The estate of YAML documents beside the two example people."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "estate.yaml").write_text(PEOPLE + "---".join(documents), "utf-8")
        return Estate.load(Path(folder))


def with_ids(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with ids in the place of names."""
    ids = {name: event.get(name) for name in ("event_id", "parent_id", "inference_id")}
    known = {name: event_id(value) for name, value in ids.items() if isinstance(value, str) and not held(value)}
    return {**event, **known}


def record_of(event: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Record type and record of an event whose ids may be names; an absent id is made of its content."""
    return text.record_of(with_ids(event), make_ids=True)


def by_name(violations: Iterable[Violation]) -> list[Violation]:
    """Violations whose evidence has the names of events again."""
    return [
        changed(v, evidence=tuple(changed(item, event_id=named(item.event_id)) for item in v.evidence))
        for v in violations
    ]


def found(documents: str, events: Iterable[Mapping[str, Any]], now: str | None = None) -> list[Violation]:
    """The violations of events judged by these documents; ``now`` is an offset from T0."""
    records = [record_of(event) for event in events]
    return by_name(replay(estate_of(documents), records, None if now is None else at(now)))


def decision(offset: str, **fields: Any) -> dict[str, Any]:
    """A decision of system `scorer` so long after T0."""
    return {
        "type": "inference", "event_time": at(offset), "system": "scorer", "version": "v1", "use_case": "credit",
        "subject": "s1", **fields,
    }  # fmt: skip


def call(offset: str, tool: str, trace: str | None = "t1", **fields: Any) -> dict[str, Any]:
    """A tool call of system `agent` so long after T0."""
    return {
        "type": "tool_call", "event_time": at(offset), "system": "agent", "version": "v1", "tool": tool,
        "arguments": "{}", "decision": "allowed", "trace_id": trace, **fields,
    }  # fmt: skip


def brief(violations: Iterable[Violation]) -> list[tuple[str | None, str, str, int]]:
    """Slice, severity, state and offset of opening (micros after T0)."""
    return [(v.slice, v.severity, v.state, v.opened_at - T0) for v in violations]
