"""Range, assertion, scope and approval: what offends, what does not, and how it is told."""

from __future__ import annotations

import json

import pytest

from seamwatch.durations import HOUR, MINUTE
from tests.clauses.history import at, brief, call, contract, decision, found

SCOPE = contract(
    "agent",
    """
- id: tools
  kind: scope
  tools:
    - tool: find_user
    - tool: refund
      where: arguments.amount <= 100
""",
)
APPROVED = """---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions:
  - version: v1
    config_digest: aaa
    approvals:
      - {id: A1, use_case: credit, approved_by: owner@example.org, approved_at: 2026-03-01, expires: 2026-03-04}
"""
APPROVAL = contract("scorer", "- {id: approved, kind: approval}") + APPROVED


def test_the_first_score_out_of_range_is_a_breach() -> None:
    clauses = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")
    events = [decision("1h", score=0.0), decision("2h", score=1.0), decision("3h", score=1.5), decision("4h", score=-2)]
    violations = found(clauses, events)
    assert brief(violations) == [(None, "breach", "open", 3 * HOUR)]
    assert (violations[0].observed, violations[0].limit) == (1.5, 1)
    assert len(violations[0].evidence) == 2


def test_a_missing_score_offends_only_where_it_was_agreed() -> None:
    events = [decision("1h", score=None)]
    assert found(contract("scorer", "- {id: valid, kind: range, min: 0}"), events) == []
    assert len(found(contract("scorer", "- {id: valid, kind: range, min: 0, nullable: false}"), events)) == 1


def test_a_tolerated_share_is_judged_when_the_window_is_over() -> None:
    clauses = contract("scorer", "- {id: valid, kind: range, max: 1, tolerate: 0.1, window: 1h}")
    one = [decision(f"{m}m", score=2 if m < 2 else 0.5) for m in range(1, 21)]
    two = [decision(f"{60 + m}m", score=2 if m < 4 else 0.5) for m in range(1, 21)]
    violations = found(clauses, one + two, now="2h")
    assert brief(violations) == [(None, "breach", "open", 2 * HOUR)]
    assert violations[0].observed == pytest.approx(0.15)
    assert found(clauses, one + two, now="1h59m") == []


def test_an_assertion_that_is_null_does_not_hold_and_where_selects() -> None:
    clauses = contract("scorer", """- {id: sane, kind: assertion, must: "confidence > 0.5", where: "cohort = 'a'"}""")
    events = [
        decision("1h", cohort="a", confidence=0.9),
        decision("2h", cohort="b", confidence=0.1),
        decision("3h", cohort=None, confidence=0.1),
        decision("4h", cohort="a", confidence=None, event_id="null"),
    ]
    violations = found(clauses, events)
    assert brief(violations) == [(None, "breach", "open", 4 * HOUR)]
    assert [e.event_id for e in violations[0].evidence] == ["null"]


def test_an_assertion_by_share_needs_its_smallest_number_of_events() -> None:
    text = "- {id: sane, kind: assertion, must: fallback = false, at_least: 0.9, window: 1h, min_count: 10}"
    events = [decision(f"{m}m", fallback=m % 2 == 0) for m in range(1, 10)]
    assert found(contract("scorer", text), events, now="2h") == []
    violations = found(contract("scorer", text), [*events, decision("30m")], now="2h")
    assert brief(violations) == [(None, "breach", "open", HOUR)]
    assert violations[0].observed == pytest.approx(0.6)


def test_an_episode_by_share_ends_with_a_window_that_is_within() -> None:
    text = "- {id: sane, kind: assertion, must: fallback = false, at_least: 0.9, window: 1h}"
    events = [decision(f"{m}m", fallback=True) for m in range(1, 5)] + [decision("3h30m", fallback=False)]
    violations = found(contract("scorer", text), events, now="5h")
    assert [(v.state, v.resolved_at) for v in violations] == [("resolved", at("4h"))]


def test_an_assertion_on_tool_calls_has_one_episode_a_conversation() -> None:
    text = "- {id: sane, kind: assertion, on: tool_call, must: arguments.ok = TRUE}"
    good, bad = json.dumps({"ok": True}), json.dumps({"ok": False})
    events = [
        call("1m", "x", "t1", arguments=good),
        call("2m", "x", "t1", arguments=bad),
        call("3m", "x", "t1", arguments=bad),
        call("4m", "x", "t2", arguments="{}"),
    ]
    assert brief(found(contract("agent", text), events)) == [
        ("t1", "breach", "open", 2 * MINUTE),
        ("t2", "breach", "open", 4 * MINUTE),
    ]


def test_scope_allows_what_is_listed_and_nothing_else() -> None:
    events = [
        call("1m", "find_user", "t1"),
        call("2m", "refund", "t1", arguments='{"amount": 100}'),
        call("3m", "refund", "t2", arguments='{"amount": 101}'),
        call("4m", "refund", "t3", arguments="{}"),
        call("5m", "delete_user", "t4", decision="denied"),
        call("6m", "delete_user", "t4"),
    ]
    violations = found(SCOPE, events)
    assert [(v.slice, v.opened_at, v.severity) for v in violations] == [
        ("t2", at("3m"), "breach"),
        ("t3", at("4m"), "breach"),
        ("t4", at("5m"), "warning"),
        ("t4", at("6m"), "breach"),
    ]
    assert "arguments outside what was agreed, in" in violations[0].summary
    assert "arguments outside what was agreed (arguments.amount is absent), in" in violations[1].summary
    tried = "tried to call tool 'delete_user' which it is not authorised to call, denied by the guard, in conversation"
    assert tried in violations[2].summary
    assert "called tool 'delete_user' which it is not authorised to call, in conversation" in violations[3].summary


def test_an_approved_version_digest_and_use_case_serves_while_its_approval_is_in_force() -> None:
    good = decision("1h", config_digest="aaa")
    assert found(APPROVAL, [good]) == []
    for fault in (
        {"version": "v2"}, {"config_digest": "bbb"}, {"config_digest": None}, {"use_case": "hiring"},
        {"event_time": at("2d")}, {"event_time": at() - 25 * HOUR},
    ):  # fmt: skip
        assert len(found(APPROVAL, [good | fault])) == 1, fault


def test_tool_calls_need_an_approved_version_too() -> None:
    events = [call("1h", "x", system="scorer", config_digest="aaa"), call("2h", "x", system="scorer", version="v9")]
    violations = found(APPROVAL, events)
    assert brief(violations) == [("v9/", "breach", "open", 2 * HOUR)]
    assert violations[0].summary.startswith("scorer serves version v9 since ")


def test_a_system_with_no_contract_and_no_document_is_running_unregistered() -> None:
    violations = found(SCOPE, [decision("1h", system="shadow"), decision("2h", system="shadow", version="v2")])
    assert [(v.contract, v.kind, v.system, v.slice, v.opened_at) for v in violations] == [
        ("defaults", "approval", "shadow", None, at("1h"))
    ]
    assert "unregistered" in violations[0].summary


def test_a_repeated_event_counts_once() -> None:
    text = "- {id: sane, kind: assertion, must: fallback = false, at_least: 0.6, window: 1h}"
    bad, good = decision("1m", fallback=True, event_id="bad"), decision("2m", event_id="good")
    once = found(contract("scorer", text), [bad, good, bad, bad, bad], now="2h")
    assert [v.observed for v in once] == [0.5]
    assert [e.event_id for e in once[0].evidence] == ["bad"]
