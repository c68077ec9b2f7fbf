"""Attempts: what was denied was not made; it is told with words of its own, and too much of it is a breach."""

from __future__ import annotations

import random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from seamwatch.columnar.columns import frame_of
from seamwatch.durations import MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.judging.model.facts import Fact, Measurement, Violation, Watermark
from seamwatch.judging.patterns.attempts import ATTEMPTS, part_of, place_of
from seamwatch.wire.text import record_of
from streams.measure.plan import Plan
from tests.clauses.history import at, call, contract, estate_of, found
from tests.clauses.test_rate import live, told

KINDS = {
    "scope": "tools: [{tool: find}, {tool: ask}]",
    "prohibition": "never: tool = 'refund'",
    "precondition": "tool: refund, requires: ask",
    "assertion": "on: tool_call, must: tool <> 'refund'",
    "rate": "per: trace, max: 0, tool: refund",
}
BY_CLAUSE = "example@1#held"


def clause(kind: str, more: str = "") -> str:
    return contract("agent", f"- {{id: held, kind: {kind}, {KINDS[kind]}{more}}}")


def denied(offset: str, trace: str | None = "t1", **fields: Any) -> dict[str, Any]:
    return call(offset, "refund", trace, decision="denied", authorisation=BY_CLAUSE, **fields)


def named(number: int) -> str:
    return str(uuid5(NAMESPACE_OID, str(number)))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_denied_call_is_told_as_an_attempt_and_one_that_was_made_as_made(kind: str) -> None:
    events = [
        call("1s", "find", "t1"),
        denied("1m", event_id=named(1)),
        denied("2m", event_id=named(2)),
        call("3m", "refund", "t2"),
        call("4m", "refund", "t3", decision="escalated"),
        denied("5m", None),
    ]
    violations = found(clause(kind), events)
    told = [(v.slice, v.severity, v.opened_at, "denied by the guard" in v.summary) for v in violations]
    made = [("t2", "breach", at("3m"), False), ("t3", "breach", at("4m"), False)]
    assert told == [("t1", "warning", at("1m"), True), *made, (None, "warning", at("5m"), True)]
    assert [e.event_id for e in violations[0].evidence] == [named(1), named(2)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_attempts_that_pile_up_are_a_breach_that_opens_with_the_last(kind: str) -> None:
    most = clause(kind)
    for number in (ATTEMPTS - 1, ATTEMPTS, ATTEMPTS + 5):
        events = [denied(f"{n}m") for n in range(1, number + 1)]
        # Those of other conversations are not among them, nor calls that were made.
        events += [denied(f"{n}m", f"other-{n}") for n in range(1, 30)] + [call("1s", "find", "t1")]
        breaches = [v for v in found(most, events) if v.severity == "breach"]
        if number < ATTEMPTS:
            assert breaches == []
            continue
        (breach,) = breaches
        assert (breach.slice, breach.opened_at, breach.since) == ("t1", at(f"{ATTEMPTS}m"), at("1m"))
        assert (breach.observed, breach.limit, breach.unit) == (ATTEMPTS, ATTEMPTS - 1, "attempts")
        assert breach.summary.endswith("; 10 attempts in one conversation are too many")
        assert len(breach.evidence) == 5
    agreed = found(clause(kind, ", attempts: 2"), [denied("1m"), denied("2m")])
    assert [(v.severity, v.opened_at) for v in agreed] == [("warning", at("1m")), ("breach", at("2m"))]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_episodes_end_with_the_conversation(kind: str) -> None:
    violations = found(clause(kind, ", attempts: 1"), [denied("1m"), denied("2m")], now="3h")
    assert [(v.severity, v.state) for v in violations] == [("breach", "resolved"), ("warning", "resolved")]
    assert all(at("31m") < (v.resolved_at or 0) <= at("62m") for v in violations)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("batch", [1, 3, 50])
def test_batches_order_and_restarts_change_nothing(kind: str, batch: int) -> None:
    chance = random.Random(batch)
    documents = clause(kind, ", attempts: 4, missing: ignore" if kind == "prohibition" else ", attempts: 4")
    events = []
    for number in range(60):
        when, trace = at("1h") + number * 40 * SECOND, chance.choice(["t1", "t2", "t3", None])
        fields = {"event_time": when, "event_id": named(number)}
        tool = chance.choice(["refund", "refund", "refund", "find"])
        if chance.random() < 0.7:
            events.append(call("1s", tool, trace, decision="denied", authorisation=BY_CLAUSE, **fields))
        else:
            events.append(call("1s", tool, trace, **fields))
    expected = told(found(documents, events, now="5h"))
    if kind == "precondition":
        # Its calls are judged when the lateness is over, in their order.
        return
    # Within the lateness of a contract the order does not matter.
    swapped = events[:]
    for n in range(0, len(swapped) - 1, 2):
        swapped[n], swapped[n + 1] = swapped[n + 1], swapped[n]
    assert told(live(documents, events, batch)) == expected
    documents_late = documents.replace("clauses:", "lateness: 5m\nclauses:")
    assert [t[:3] for t in told(live(documents_late, swapped, batch))] == [t[:3] for t in expected]


def test_attempts_at_what_is_a_warning_pile_up_to_a_warning() -> None:
    violations = found(clause("scope", ", severity: warning, attempts: 1"), [denied("1m")])
    assert [v.severity for v in violations] == ["warning", "warning"]


def test_an_attempt_climbs_no_list() -> None:
    estate = estate_of(clause("scope"))
    plan, judge = Plan(estate), Judge(estate)
    facts = []
    for event in (denied("1m"), call("1m", "sell")):
        facts += plan.facts("tool_call", frame_of("tool_call", [record_of(event, make_ids=True)[1]]))
    latest: dict[str, Violation] = {}
    for now, heard in ((at("1m"), tuple(facts)), (at("2m"), ()), (at("3h"), ())):
        mark = Watermark("calls", 0, 0, at("1m"), caught_up=True)
        latest |= {v.violation_id: v for v in judge.on_measurement(Measurement(now, (mark,), heard)).violations}
    assert {(v.severity, v.state) for v in latest.values()} == {("warning", "open"), ("breach", "escalated")}


@pytest.mark.parametrize(
    "where", ["decision <> 'denied'", "decision IN ('allowed', 'escalated')", "NOT decision = 'denied'"]
)
def test_a_clause_that_leaves_denied_calls_out_tells_nothing_of_them(where: str) -> None:
    for kind in KINDS:
        assert found(clause(kind, f', where: "{where}"'), [denied("1m")]) == []


def test_a_clause_that_names_denied_calls_means_what_it_says() -> None:
    never = contract("agent", "- {id: held, kind: prohibition, never: \"tool = 'refund' AND decision = 'denied'\"}")
    assert [(v.slice, v.severity) for v in found(never, [denied("1m"), call("2m", "refund", "t2")])] == [
        ("t1", "breach")
    ]
    must = "decision <> 'denied' OR authorisation IS NOT NULL"
    agreed = contract("agent", f'- {{id: held, kind: assertion, on: tool_call, must: "{must}"}}')
    assert found(agreed, [denied("1m")]) == []
    counted = contract(
        "agent", "- {id: held, kind: rate, per: trace, max: 1, where: \"decision IN ('allowed', 'denied')\"}"
    )
    assert [v.severity for v in found(counted, [denied("1m"), denied("2m")])] == ["breach"]


def test_calls_that_were_denied_count_for_no_rate() -> None:
    hourly = contract("agent", "- {id: held, kind: rate, per: 1h, max: 2, tool: refund}")
    events = [call("1m", "refund"), *(denied(f"{n}m", "t2", event_id=named(n)) for n in range(2, 6))]
    others = [event | {"authorisation": "example@1#another"} for event in events]
    # Of what another clause denied that one tells.
    assert found(hourly, [*others, call("7m", "refund", "t3")]) == []
    (warning,) = found(hourly, events)
    assert (warning.severity, warning.slice, warning.opened_at) == ("warning", "t2", at("2m"))
    assert "tried to call tool 'refund' beyond the 2 calls agreed in 1 h, denied by the guard" in warning.summary


def test_a_share_and_a_summary_count_what_was_made() -> None:
    clauses = "- {id: held, kind: assertion, on: tool_call, must: tool <> 'refund', at_least: 0.5, window: 1h}"
    events = [call("1m", "find"), call("2m", "find"), call("3m", "refund"), *(denied(f"{n}m") for n in range(4, 20))]
    assert found(contract("agent", clauses), events, now="3h") == []


def test_an_unapproved_version_that_is_denied_is_an_attempt() -> None:
    approval = contract("agent", "- {id: held, kind: approval}")
    (warning,) = found(approval, [denied("1m")])
    assert (warning.severity, warning.slice) == ("warning", None)
    assert warning.summary == (
        "agent tries to call tools since 2026-03-02 00:01:00 UTC, denied by the guard, but is unregistered, without an "
        "approval in force"
    )
    both = found(approval, [denied("1m"), call("2m", "refund")])
    assert [(v.severity, v.opened_at) for v in both] == [("warning", at("1m")), ("breach", at("2m"))]


def test_a_system_that_no_contract_covers_is_told_of_its_attempts_as_such() -> None:
    undeclared = "kind: System\nid: another\ntype: model\nowner: owner@example.org\n"
    assert [(v.clause, v.severity) for v in found(undeclared, [denied("1m")])] == [("approval", "warning")]


# Escalation: a call that was denied owes no hand-over


LARGE = contract("agent", "- {id: held, kind: escalation, when: tool = 'refund', to: hand_over, within: 2}")


def test_a_denied_call_that_nobody_took_over_from_is_a_warning() -> None:
    assert [(v.severity, v.opened_at) for v in found(LARGE, [denied("1m")])] == [("warning", at("1m"))]
    (warning,) = found(LARGE, [denied("1m"), call("2m", "find"), call("3m", "find")])
    assert warning.summary == (
        "agent: tool = 'refund' held for a call that was denied by the guard, in conversation t1 at 2026-03-02 "
        "00:01:00 UTC, and nobody (hand_over) took over within 2 calls"
    )
    assert found(LARGE, [denied("1m"), call("2m", "find"), call("3m", "hand_over")]) == []
    # What was denied is none of the calls counted.
    late = [call("1m", "refund"), *(denied(f"{n}m") for n in range(2, 9)), call("9m", "hand_over")]
    assert found(LARGE, late) == []


def test_attempts_are_in_neither_recall_nor_precision() -> None:
    events = [denied("1m"), call("2m", "refund"), call("3m", "find"), call("4m", "find"), call("5m", "find")]
    breach = next(v for v in found(LARGE, events) if v.severity == "breach")
    assert "0 of 1 hand-overs due were made" in breach.summary
    assert {v.severity for v in found(LARGE, events)} == {"breach", "warning"}


def test_denied_calls_that_the_clause_names_are_due() -> None:
    asked = contract("agent", "- {id: held, kind: escalation, when: decision = 'denied', to: hand_over, within: 1}")
    assert [v.severity for v in found(asked, [denied("1m"), call("2m", "find")])] == ["breach"]
    by_denial = contract("agent", "- {id: held, kind: escalation, when: tool = 'refund', to: denied, within: 1}")
    assert found(by_denial, [call("1m", "refund"), call("2m", "find", decision="denied")]) == []


# Parts


@pytest.mark.parametrize("trace", [None, "t1", "", "\0", "\0attempt\0t1", "\0missing\0", "a\0b", "\0summary"])
def test_no_conversation_is_taken_for_what_is_told_apart(trace: str | None) -> None:
    parts = set()
    for measure in ("", "missing", "attempt"):
        fact = Fact("c", "1", "d", "held", "s", trace, 0, MINUTE, 1, 1, 0, 0, measure=measure)
        part = part_of(fact)
        assert place_of(part or None) == (measure, trace or None)
        parts.add(part)
    assert len(parts) == 3
