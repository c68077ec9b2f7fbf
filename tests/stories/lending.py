"""A lender's estate for the stories of changes, pages and answers: a model whose scores shift, and an agent on a desk.

Its documents name persons of their own, so that what is paged about it reaches nobody of the other estate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seamwatch.configuration import config_digest
from seamwatch.instants import format_instant
from seamwatch.testing import event_id

MINUTE = 60_000_000
HOUR = 60 * MINUTE

AGREED = config_digest(model="example-model-2026-05", prompt="Be brief.", tools="[]")
REWORDED = config_digest(model="example-model-2026-05", prompt="Be kind.", tools="[]")

_DOCUMENTS = """
---
{kind: Person, apiVersion: seamwatch/v1, id: risk@example.org, name: Example Risk, channels: ['json://HOOK/risk']}
---
{kind: Person, apiVersion: seamwatch/v1, id: sales@example.org, name: Example Sales, channels: ['json://HOOK/sales']}
---
{kind: Person, apiVersion: seamwatch/v1, id: audit@example.org, name: Example Audit, channels: ['json://HOOK/audit']}
---
kind: Person
apiVersion: seamwatch/v1
id: modeller@example.org
name: Example Modeller
channels: ['json://HOOK/modeller']
keys: [{key_id: modeller-1, public: PUBLIC, not_before: 2026-01-01}]
---
kind: System
apiVersion: seamwatch/v1
id: lender
type: model
owner: risk@example.org
approvers: [audit@example.org]
use_cases: [loans]
depends_on: [bureau]
versions:
  - version: "1"
    config_digest: "DIGEST"
    approvals: [{id: LOAN-1, use_case: loans, approved_by: audit@example.org, approved_at: 2026-01-01}]
---
{kind: System, apiVersion: seamwatch/v1, id: bureau, type: dataset, owner: risk@example.org}
---
kind: System
apiVersion: seamwatch/v1
id: desk
type: agent
owner: risk@example.org
authority: {suspend: [risk@example.org, modeller@example.org], resume: [modeller@example.org]}
approvers: [audit@example.org]
versions:
  - version: "1"
    approvals: [{id: DESK-1, use_case: refunds, approved_by: audit@example.org, approved_at: 2026-01-01}]
---
apiVersion: seamwatch/v1
kind: Rota
id: lending-on-call
title: Lending, on call
owner: risk@example.org
time_zone: America/New_York
starts: 2026-01-05
every: 1d
persons: [sales@example.org, modeller@example.org]
instead: [{from: 2026-01-06, to: 2999-01-01, person: risk@example.org, reason: everybody is at a wedding}]
---
kind: Contract
id: lending
version: "1"
seam: model-to-product
covers: [lender]
parties: {provider: {team: risk, signatory: risk@example.org}, consumer: {team: sales, signatory: sales@example.org}}
escalation:
  - {person: risk@example.org, acknowledge_within: 1h}
  - {person: audit@example.org, acknowledge_within: 1h}
  - {rota: lending-on-call, acknowledge_within: 1h}
clauses:
  - {id: told, kind: change_notice, acknowledgers: [sales@example.org, modeller@example.org], acknowledge_within: 4h,
     unannounced: true}
  - {id: line, kind: threshold, decision: admit, when: score >= 0.5, co_signers: [modeller@example.org]}
  - {id: covered, kind: coverage, reviewer: audit@example.org, within: 2h}
  - {id: a-share, kind: range, min: 0, max: 1, quiet: 1s}
  - {id: learn, kind: follow_up, clauses: [a-share], by: modeller@example.org, within: 30d}
  - {id: approved-only, kind: approval}
  - {id: as-old-as-agreed, kind: freshness, of: inference, max_lag: 24h}
  - {id: as-approved, kind: distribution, reference: {period: {from: BEGAN, to: PINNED}}, floor: 0.1,
     reviewer: audit@example.org, review_within: 1h}
  - {id: reasons, kind: assertion, must: attributes.reason IS NOT NULL,
     summary: {every: 4h, to: audit@example.org, receipt_within: 1h}}
---
apiVersion: seamwatch/v1
kind: Contract
id: desk-pact
version: "1"
seam: agent-pact
covers: [desk]
parties: {provider: {team: risk, signatory: risk@example.org}, consumer: {team: sales, signatory: sales@example.org}}
escalation: [{person: sales@example.org, acknowledge_within: 3s}, {person: audit@example.org, acknowledge_within: 1h}]
clauses:
  - {id: no-large-refund, kind: prohibition, never: tool = 'refund' AND arguments.amount > 100}
  - {id: known-first, kind: precondition, tool: refund, requires: verify_identity, matching: [user]}
  - {id: unsure, kind: human_review, below: 0.6}
"""

EXPECTED = {
    ("told", "lender"), ("line", "lender"), ("covered", "lender"), ("approved-only", "lender"),
    ("as-old-as-agreed", "lender"), ("as-approved", "lender"), ("reasons", "lender"),
}  # fmt: skip


def documents(began: int, hook: str, public: str) -> str:
    """The documents, with the address that takes the pages and the public key of the modeller."""
    text = _DOCUMENTS.replace("HOOK", hook).replace("PUBLIC", public).replace("DIGEST", AGREED)
    return text.replace("BEGAN", format_instant(began)).replace("PINNED", format_instant(began + 4 * HOUR))


def events(began: int) -> Iterator[dict[str, Any]]:
    """Ten hours of decisions: in the fifth a change, in the seventh scores that shift, in the eighth other prompts."""

    def event(record: str, minute: float, name: str, **fields: Any) -> dict[str, Any]:
        at = format_instant(began + round(minute * MINUTE))
        return {"type": record, "event_id": event_id(name), "event_time": at, "system": "lender", **fields}

    for number in range(1_180):
        minute = number / 2
        low, high = (0.3, 0.7) if minute < 360 else (0.05, 0.3)
        score = low if number % 2 else high
        moved = number == 600
        fields: dict[str, Any] = {
            "version": "1", "config_digest": AGREED, "use_case": "loans", "subject": f"s{number}", "cohort": "north",
            "score": 0.45 if moved else score, "decision": "admit" if moved or score >= 0.5 else "refuse",
            "data_as_of": format_instant(began + round(minute * MINUTE) - (9 * 24 if number == 700 else 1) * HOUR),
            "latency_ms": 20.0, "attributes": {} if number == 100 else {"reason": "bureau"},
            "trace_id": f"loan-{number}",
        }  # fmt: skip
        if number == 1_000:
            fields["config_digest"] = REWORDED
        yield event("inference", minute, f"lent{number}", **fields)
    yield event(
        "config_change", 240, "change", change_id="LEND-7", kind="model", effective_at=format_instant(began + 4 * HOUR),
        summary="the provider moved us to another host", announced_by="risk@example.org", to_value="1",
    )  # fmt: skip
