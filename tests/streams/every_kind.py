"""One estate with every clause kind, and one history in which each of them is broken: for tests of whole stages."""

from __future__ import annotations

import json
import random
from typing import Any

from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.instants import format_instant
from seamwatch.judging.model.identity import identity
from tests.clauses.history import record_of

LENGTH = 8 * HOUR
INFERENCES = 12_000
CONVERSATIONS = 160

_PARTY = "{team: example, signatory: owner@example.org}"
_HEAD = f"""
version: "1"
parties: {{provider: {_PARTY}, consumer: {_PARTY}}}
clauses:"""


def beginning(now: int) -> int:
    """When a history has to begin that is over by ``now``, with its windows and its conversations."""
    return (now - LENGTH - 45 * MINUTE) // (2 * HOUR) * (2 * HOUR)


def documents(start: int) -> str:
    """Contracts over a model, a dataset and an agent; the reference of the scores is the first two hours.

    Whoever is on call for the model hands over in the middle of it.
    """
    begun, middle = format_instant(start), format_instant(start + LENGTH // 2)
    return f"""
kind: Person
id: owner@example.org
name: Example Owner
---
kind: Person
id: second@example.org
name: Example Second
---
kind: Rota
id: model-on-call
owner: second@example.org
time_zone: UTC
starts: "{format_instant(start - DAY)[:10]}"
hand_over: "{middle[11:16]}"
every: 1d
persons: [owner@example.org, second@example.org]
---
kind: System
id: model
type: model
owner: owner@example.org
versions: [{{version: v1, approvals: [{{id: A1, use_case: credit, approved_by: second@example.org}}]}}]
---
kind: Contract
id: model-contract
seam: model-to-product
covers: [model]
escalation: [{{rota: model-on-call, acknowledge_within: 30m}}]{_HEAD}
  - {{id: valid, kind: range, min: 0, max: 1}}
  - {{id: mostly-valid, kind: range, min: 0, max: 1, tolerate: 0.01, window: 10m}}
  - {{id: fresh, kind: freshness, of: inference, max_lag: 26h, warn_at: 20h}}
  - {{id: approved, kind: approval}}
  - {{id: approved-in-time, kind: approval, grace: 15m}}
  - {{id: told, kind: change_notice, unannounced: true, notice_before: 10m, acknowledgers: [second@example.org],
      acknowledge_within: 40m}}
  - {{id: quick, kind: assertion, must: latency_ms < 500, at_least: 0.99, window: 5m, min_count: 20}}
  - {{id: sure, kind: assertion, must: confidence >= 0.3, quiet: 20m}}
  - {{id: shape, kind: distribution, by: cohort,
      reference: {{period: {{from: "{begun}", to: "{format_instant(start + 2 * HOUR)}"}}}}}}
  - {{id: line, kind: threshold, decision: approve, when: score >= 0.5, co_signers: [second@example.org], quiet: 30m}}
  - {{id: latency, kind: signal, signal: latency, max: 100, quantile: 0.995, window: 10m}}
  - {{id: right, kind: signal, signal: accuracy, min: 0.8, window: 1h}}
  - {{id: calibrated, kind: calibration, max_error: 0.1, min_outcomes: 200}}
  - {{id: moved, kind: signal, signal: drift, max: 0.1, window: 1h}}
  - {{id: abused, kind: signal, signal: abuse, max: 0.02, window: 30m}}
  - {{id: fell-back, kind: signal, signal: fallback, max: 0.02, window: 30m}}
  - {{id: mix, kind: representation, of: inference, shares: {{a: [0.4, 0.6], b: [0.4, 0.6]}}, window: 1h}}
  - {{id: busy, kind: volume, of: inference, min: 100, max: 330, per: 10m}}
  - {{id: person, kind: rate, max: 20, per: subject, window: 2h}}
  - {{id: unsure, kind: human_review, below: 0.3, quiet: 30m}}
  - {{id: filled, kind: completeness, fields: [attributes.channel], reference: {{first: 2h}}}}
  - {{id: by-channel, kind: threshold, decision: special, when: attributes.channel = 'shop', unjudged: 1h}}
  - {{id: gini, kind: benchmark, metric: gini, min: 0.5, every: 2h}}
  - {{id: reviewed, kind: review, every: 3h, by: second@example.org}}
  - {{id: covered, kind: coverage, reviewer: second@example.org, within: 30m}}
  - {{id: covered-often, kind: coverage, reviewer: second@example.org, within: 30m, after: 2h}}
  - {{id: quiet, kind: silence, longest: 3h, by: second@example.org}}
  - {{id: practised, kind: drill, every: 150m, by: second@example.org}}
  - {{id: anew, kind: reevaluation, by: second@example.org, within: 40m, metrics: [{{metric: gini, min: 0.5}}]}}
  - {{id: learn, kind: follow_up, by: second@example.org, within: 50m, severities: [breach, warning]}}
  - {{id: harm, kind: incident, by: owner@example.org, declared_by: second@example.org, complete_within: 40m,
      within: {{serious: 90m, death: 50m}}}}
---
kind: Contract
id: claims-contract
seam: data-to-model
covers: [claims]{_HEAD}
  - {{id: fresh, kind: freshness, max_lag: 30m, warn_at: 20m}}
  - {{id: sources, kind: lineage, include: ["core-*"], refresh_every: 50m}}
  - {{id: rows, kind: volume, of: dataset, min: 100}}
  - {{id: by-all, kind: signed}}
  - {{id: rows-an-hour, kind: volume, of: dataset, min: 1, max: 5000, per: 1h}}
  - {{id: people, kind: representation, shares: {{a: [0.4, 0.6], b: [0.4, 0.6]}}}}
---
kind: System
id: silent-feed
type: dataset
owner: second@example.org
---
kind: Contract
id: silent-contract
seam: data-to-model
covers: [silent-feed]{_HEAD}
  - {{id: waited-for, kind: freshness, max_lag: 70m, warn_at: 65m}}
---
kind: Contract
id: agent-contract
seam: agent-pact
covers: [agent]{_HEAD}
  - {{id: tools, kind: scope, tools: [{{tool: find}}, {{tool: verify}}, {{tool: person}},
      {{tool: refund, where: arguments.amount <= 100}}]}}
  - {{id: never, kind: prohibition, never: "tool = 'refund' AND arguments.to = 'cash'"}}
  - {{id: verified, kind: precondition, tool: refund, requires: verify, matching: [user]}}
  - {{id: handed, kind: escalation, when: arguments.amount > 80, to: person, within: 2}}
  - {{id: calls, kind: rate, max: 7, per: trace}}
  - {{id: refunds, kind: rate, max: 20, per: 30m, tool: refund}}
  - {{id: sound, kind: assertion, on: tool_call, must: "arguments.user IS NOT NULL"}}
  - {{id: calls-sound, kind: assertion, on: tool_call, must: "arguments.user IS NOT NULL", at_least: 0.97, window: 20m}}
  - {{id: unsure, kind: human_review, below: 0.3}}
  - {{id: changes, kind: change_notice, kinds: [prompt], acknowledgers: [owner@example.org], acknowledge_within: 30m}}
  - {{id: active, kind: volume, of: tool_call, min: 3, max: 90, per: 30m}}
---
kind: System
id: runner
type: agent
owner: owner@example.org
authority: {{suspend: [owner@example.org, second@example.org]}}
---
kind: Contract
id: runner-contract
seam: agent-pact
covers: [runner]{_HEAD}
  - {{id: never, kind: prohibition, never: "tool = 'pay'", on_breach: suspend}}
"""


def history(start: int, seed: int = 11) -> list[tuple[str, dict[str, Any]]]:
    """Eight hours of events, in event-time order."""
    chance = random.Random(seed)
    events: list[tuple[str, dict[str, Any]]] = []

    def add(record_type: str, at: int, **fields: Any) -> None:
        event = {"type": record_type, "event_time": at, "event_id": f"{record_type}-{len(events):06d}", **fields}
        events.append(record_of(event))

    for number in range(INFERENCES):
        at = start + number * LENGTH // INFERENCES + chance.randrange(SECOND)
        hours = (at - start) / HOUR
        if 4.0 < hours < 4.5 and chance.random() < 0.8:
            continue  # a lull
        for _ in range(2 if 3.0 < hours < 3.3 else 1):
            score = chance.gauss(0.6 if hours > 6 else 0.5, 0.15)
            score = 1.7 if 3.3 < hours < 4 and chance.random() < 0.03 else min(1.0, max(0.0, score))
            decision = "approve" if score >= 0.5 else "refuse"
            if chance.random() < 0.0005:
                decision = "approve" if decision == "refuse" else "refuse"
            add(
                "inference", at, system="model", version="v3" if number % 4_001 == 4_000 else "v1",
                use_case="collections" if number == 7_000 else "credit", score=score, decision=decision,
                cohort=chance.choice("ab" if hours < 5 else "aaab"), latency_ms=600 if chance.random() < 0.01 else 20,
                confidence=chance.uniform(0.2, 0.4) if chance.random() < 0.001 else 0.9,
                human_review=chance.random() < 0.5, abuse=5 < hours < 5.6 and chance.random() < 0.06,
                fallback=5.5 < hours < 6.1 and chance.random() < 0.07,
                subject=f"s{chance.randrange(600) ** 2 // 600}",
                attributes={} if 6 <= hours < 7.2 or number % 50 == 0 else {"channel": "web"},
                data_as_of=at - (30 if number in (5_000, 5_001) else 22 if number % 5_000 == 4_000 else 2) * HOUR,
            )  # fmt: skip
            if number % 5 == 0:
                label = 1.0 if (score > 0.5) == (chance.random() < (0.95 if hours < 6.5 else 0.7)) else 0.0
                add("outcome", at + 3 * MINUTE, system="model", inference_id=events[-1][1]["event_id"],
                    score=score, cohort="a", label=label, observed_at=at + 3 * MINUTE)  # fmt: skip
    _refreshes(start, add)
    _calls(start, chance, add)
    _people(start, add)
    _suspended(start, chance, add)
    return sorted(events, key=lambda event: (event[1]["event_time"], event[1]["event_id"]))


def _refreshes(start: int, add: Any) -> None:
    for number, minutes in enumerate((5, 20, 60, 140, 145, 160, 175, 250, 252, 260, 300, 320, 340, 360, 420, 450)):
        at = start + minutes * MINUTE
        share = 70 if number in (5, 6, 11) else 50
        add("dataset_refresh", at, system="claims", data_as_of=at - (number % 3) * MINUTE,
            row_count=6_000 if number == 8 else 50 if number in (3, 4, 10) else 300,
            sources=["core-a", "elsewhere"] if number in (2, 3, 9) else ["core-a"],
            cohorts=[{"cohort": "a", "count": share}, {"cohort": "b", "count": 100 - share}])  # fmt: skip


def _calls(start: int, chance: random.Random, add: Any) -> None:
    for talk in range(CONVERSATIONS):
        at = start + chance.randrange(LENGTH - HOUR) // (4 if talk % 5 == 0 else 1)
        user = f"u{chance.randrange(50)}"
        for _ in range(chance.randrange(1, 11)):
            if at >= start + LENGTH:
                break
            tool = chance.choice(["find", "verify", "verify", "refund", "refund", "person", "delete"][: 7 - talk % 2])
            arguments: dict[str, Any] = {"user": user if chance.random() < 0.9 else f"u{chance.randrange(50)}"}
            if tool == "refund":
                arguments |= {"amount": chance.randrange(120), "to": "cash" if chance.random() < 0.1 else "card"}
            if chance.random() < 0.02:
                del arguments["user"]
            add(
                "tool_call", at, system="agent", version="1", tool=tool, arguments=json.dumps(arguments),
                decision="denied" if chance.random() < 0.05 else "allowed",
                confidence=0.2 if chance.random() < 0.02 else 0.8,
                trace_id=None if chance.random() < 0.01 else f"t{talk}",
            )  # fmt: skip
            at += chance.randrange(3 * HOUR if chance.random() < 0.05 else 90 * SECOND)


def _suspended(start: int, chance: random.Random, add: Any) -> None:
    """A runner that goes on when its tool, a version of it, and by its contract all of it is suspended."""
    at, number = start + MINUTE, 0
    while at < start + LENGTH:
        tool = "pay" if number in (200, 330) else chance.choice(["find", "mail", "mail"])
        add("tool_call", at, system="runner", version=chance.choice(["v1", "v2"]), tool=tool, arguments="{}",
            decision="denied" if chance.random() < 0.1 else "allowed", trace_id=f"r{number // 9}")  # fmt: skip
        at, number = at + 30 * SECOND + chance.randrange(60 * SECOND), number + 1
    for minutes, state, more in (
        (50, "suspended", {"tool": "mail"}), (70, "resumed", {"tool": "mail"}),
        (95, "suspended", {"person": "stranger@example.org"}),
        (130, "suspended", {"version": "v2", "until": start + 150 * MINUTE}),
        (320, "resumed", {}), (360, "suspended", {"person": "second@example.org"}), (372, "suspended", {}),
        (475, "resumed", {"person": "second@example.org"}), (478, "resumed", {}),
    ):  # fmt: skip
        add("suspension", start + minutes * MINUTE, system="runner", state=state, reason="because",
            **{"person": "owner@example.org", **more})  # fmt: skip


def _people(start: int, add: Any) -> None:
    for minutes, change in ((30, "late"), (50, "in-time"), (90, "never"), (200, "objected")):
        at = start + minutes * MINUTE
        add("config_change", at, system="agent", change_id=change, kind="prompt", effective_at=at, summary="-",
            announced_by="example", to_value=change)  # fmt: skip
    for minutes, change, answer in ((65, "late", "accept"), (55, "in-time", "accept"), (210, "objected", "object"),
                                    (230, "objected", "accept")):  # fmt: skip
        add("acknowledgement", start + minutes * MINUTE, system="agent", of="change", reference=change,
            person="owner@example.org", answer=answer)  # fmt: skip
    for minutes, change, kind in ((100, "line-1", "threshold"), (220, "line-2", "threshold"), (300, "tools-1", "tools"),
                                  (400, "model-1", "model")):  # fmt: skip
        at = start + minutes * MINUTE
        add("config_change", at, system="model", change_id=change, kind=kind, summary="-", announced_by="example",
            effective_at=at + (0 if kind == "tools" else HOUR), to_value="v3" if kind == "model" else None)  # fmt: skip
    for minutes, change in ((130, "line-1"), (265, "line-2"), (305, "tools-1")):
        add("acknowledgement", start + minutes * MINUTE, system="model", of="change", reference=change,
            person="second@example.org", answer="accept")  # fmt: skip
    for minutes, subject, kind, value in (
        (40, "benchmark", "benchmark", 0.6), (80, "benchmark", "benchmark", 0.4), (150, "benchmark", "benchmark", 0.45),
        (300, "benchmark", "benchmark", 0.55), (200, "review", "review", None), (260, "review", "review", None),
        (115, "coverage", "coverage", None), (290, "coverage", "coverage", None), (445, "coverage", "coverage", None),
    ):  # fmt: skip
        add("attestation", start + minutes * MINUTE, system="model", subject=subject, kind=kind,
            metric="gini" if kind == "benchmark" else None, value=value, person="second@example.org")  # fmt: skip
    # The tools changed at 300: late, and the value is worse than agreed until the next.
    for minutes, value in ((350, 0.4), (440, 0.6)):
        add("attestation", start + minutes * MINUTE, system="model", subject="model-contract#anew", kind="reevaluation",
            metric="gini", value=value, person="second@example.org")  # fmt: skip
    _follow_ups(start, add)
    _drills(start, add)
    _silences(start, add)
    _incidents(start, add)


def _drills(start: int, add: Any) -> None:
    """One that is held and one that is called off, where they are demanded; and elsewhere one that ends by itself."""
    held = {"state": "held", "scenario": "leak", "passed": True, "report": f"sha256:{'0' * 64}"}
    begun = {"state": "begun", "scenario": "leak", "title": "Leaked data", "limit_seconds": 3_600}
    off = {"state": "called_off", "scenario": "leak", "why": "-"}
    for minutes, drill, said in (
        (100, "practised/leak-1", begun), (120, "practised/leak-1", held), (130, "drill/leak-2", begun),
        (200, "practised/leak-3", begun), (210, "practised/leak-3", off),
    ):  # fmt: skip
        system = "agent" if minutes == 130 else "model"
        add("attestation", start + minutes * MINUTE, system=system, subject=f"{system}-contract#{drill}", kind="drill",
            person="second@example.org", statement=json.dumps(said))  # fmt: skip


def _silences(start: int, add: Any) -> None:
    """One of all clauses that ends by itself, one of a clause that is lifted, and one of a contract that has none."""
    until = {"state": "begun", "clause": None, "until": format_instant(start + 180 * MINUTE), "reason": "load test"}
    for minutes, subject, said in (
        (60, "model-contract#quiet/s1", until), (70, "model-contract#quiet/s2", until | {"clause": "fresh"}),
        (90, "model-contract#quiet/s2", {"state": "lifted", "why": "over"}), (65, "agent-contract#silence/s3", until),
    ):  # fmt: skip
        by = "owner@example.org" if subject.startswith("agent") else "second@example.org"
        add("attestation", start + minutes * MINUTE, system=subject.partition("-")[0], subject=subject, kind="silence",
            person=by, statement=json.dumps(said))  # fmt: skip


def _follow_ups(start: int, add: Any) -> None:
    """What was broken of the benchmark, from the second to the fourth measurement, is reviewed, and one action late."""
    broken = identity("model-contract", "gini", "model", "breach", "gini", f"{start + 80 * MINUTE}/least")
    subject = f"model-contract#learn/{broken}"
    actions = [
        {"id": name, "person": "owner@example.org", "due": format_instant(start + minutes * MINUTE), "what": "-"}
        for name, minutes in (("late", 390), ("in-time", 430), ("never", 440))
    ]
    stated = {"implied": "-", "diverged": "-", "cause": "-", "actions": actions}
    for minutes, kind, name in ((310, "follow_up", ""), (400, "action", "/late"), (410, "action", "/in-time")):
        add("attestation", start + minutes * MINUTE, system="model", subject=subject + name, kind=kind,
            person="second@example.org", statement=None if name else json.dumps(stated))  # fmt: skip


def _incidents(start: int, add: Any) -> None:
    """One is declared, and becomes graver; its initial report is late, and its complete one never sent."""
    subject = f"model-contract#harm/{identity('model-contract', 'any', 'model', 'breach', None, 'any')}"
    times = {name: format_instant(start + minutes * MINUTE) for name, minutes in (("aware", 200), ("began", 190))}
    for minutes, kind, said in (
        (210, "incident", {"kind": "serious", **times, "note": "-"}),
        (220, "incident", {"kind": "death", **times, "note": "-"}),
        (230, "report", {"stage": "draft", "content": "-"}),
        (270, "report", {"stage": "initial"}),
    ):
        add("attestation", start + minutes * MINUTE, system="model", subject=subject, kind=kind,
            person="second@example.org", statement=json.dumps(said), evidence_uri="https://example.org/r")  # fmt: skip
