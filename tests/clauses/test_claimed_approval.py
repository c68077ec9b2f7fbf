"""A decision that names an approval which no document has is told, whether or not another approval allows it."""

from __future__ import annotations

from typing import Any

from seamwatch.durations import HOUR
from tests.clauses.history import at, brief, contract, decision, found

SYSTEM = """---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
versions:
  - version: v1
    approvals:
      - {id: A1, use_case: credit, approved_by: second@example.org}
      - {id: VOID, use_case: other, approved_by: owner@example.org}
  - version: v2
"""
AGREED = contract("scorer", "- {id: only, kind: approval}") + SYSTEM


def claims(offset: str, approval: str | None, **fields: Any) -> dict[str, Any]:
    return decision(offset, version="v1", use_case="credit", approval_id=approval, **fields)


def test_a_name_that_no_document_has_is_a_warning_and_others_are_none() -> None:
    events = [claims("1h", "A1"), claims("2h", None), claims("3h", "VOID"), claims("4h", "A9"), claims("5h", "A9")]
    (claimed,) = found(AGREED, events, now="6h")
    assert brief([claimed]) == [("A9", "warning", "open", 4 * HOUR)]
    assert claimed.summary == "scorer names approval 'A9' since 2026-03-02 04:00:00 UTC, which no document has"
    assert [e.event_id for e in claimed.evidence] == ["4h", "5h"] or len(claimed.evidence) == 2


def test_it_is_told_beside_what_nothing_allows_and_ends_when_it_stops() -> None:
    events = [claims("1h", "A9") | {"use_case": "other"}, claims("30h", "A1")]
    violations = found(AGREED, events, now="31h")
    assert {(v.severity, v.slice, v.resolved_at) for v in violations} == {
        ("breach", "v1//other", at("25h")),
        ("warning", "A9", at("25h")),
    }
    (breach,) = [v for v in violations if v.severity == "breach"]
    assert breach.summary.endswith("without an approval in force: approval VOID is by owner@example.org alone, "
                                   "who owns 'scorer'")  # fmt: skip


def test_an_undeclared_system_is_one_finding() -> None:
    assert len(found(contract("scorer", "- {id: only, kind: approval}"), [claims("1h", "A9")], now="2h")) == 1
