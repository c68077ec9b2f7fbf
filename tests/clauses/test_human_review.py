"""Human review: low confidence that did not go to a person."""

from __future__ import annotations

import pytest

from seamwatch.clauses import kinds
from seamwatch.errors import SeamwatchError
from tests.clauses.history import at, brief, call, contract, decision, estate_of, found
from tests.clauses.worked import worked_example

REVIEWED = contract("scorer", worked_example(kinds()["human_review"]))


def test_an_unsure_decision_without_review_is_a_breach() -> None:
    events = [
        decision("1h", confidence=0.6),
        decision("2h", confidence=0.5, human_review=True),
        decision("3h", confidence=None),
        decision("4h", confidence=0.59, event_id="a"),
        decision("5h", confidence=0.1, event_id="b"),
        decision("6h", confidence=0.1, use_case="hiring"),
    ]
    violations = found(REVIEWED, events)
    assert brief(violations) == [(None, "breach", "open", at("4h") - at())]
    assert (violations[0].observed, violations[0].limit) == (0.59, 0.6)
    assert [e.event_id for e in violations[0].evidence] == ["a", "b"]


def test_an_episode_of_decisions_is_over_after_a_quiet_day() -> None:
    violations = found(REVIEWED, [decision("1h", confidence=0.1), decision("3d", confidence=0.1)])
    assert [(v.state, v.opened_at) for v in violations] == [("resolved", at("1h")), ("open", at("3d"))]


def test_an_unsure_call_must_not_simply_be_allowed() -> None:
    clauses = contract("agent", "- {id: unsure, kind: human_review, below: 0.5}")
    events = [
        call("1m", "refund", "t1", confidence=0.4, decision="escalated"),
        call("2m", "refund", "t2", confidence=0.4, decision="denied"),
        call("3m", "refund", "t3", confidence=0.4),
        call("4m", "refund", "t3", confidence=0.3),
        call("5m", "refund", "t4"),
    ]
    violations = found(clauses, events)
    assert [(v.slice, v.opened_at, v.observed) for v in violations] == [("t3", at("3m"), 0.4)]
    assert "'refund' with confidence 0.4 in conversation t3" in violations[0].summary


def test_decisions_and_calls_of_one_system_are_both_held_to_it() -> None:
    clauses = contract("agent", "- {id: unsure, kind: human_review, below: 0.5}")
    events = [
        decision("1m", system="agent", confidence=0.4),
        call("2m", "refund", None, confidence=0.3),
        call("3m", "refund", "t1", confidence=0.2),
    ]
    assert [(v.slice, len(v.evidence)) for v in found(clauses, events)] == [(None, 2), ("t1", 1)]


def test_a_field_of_neither_record_type_is_refused() -> None:
    with pytest.raises(SeamwatchError, match="nonsense"):
        estate_of(contract("agent", "- {id: unsure, kind: human_review, below: 0.5, where: nonsense = 1}"))
