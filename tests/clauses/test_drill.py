"""Drill: people are paged for practice by who may, it is never a breach, and so often one must be held."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.clauses.drill.statement import Begun, CalledOff, Held, Statement, read_statement
from seamwatch.clauses.stated import stated_text
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.model.facts import Verdict, Violation
from seamwatch.signatures import attestation_bytes, sign
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.replay import chunks_of, judged
from tests.clauses.history import at, brief, contract, decision, estate_of, found, record_of
from tests.clauses.test_state import Live

VALID = "- {id: valid, kind: range, min: 0, max: 1, quiet: 1h}"
NONE = contract("scorer", VALID)
DEMANDED = contract("scorer", f"{VALID}\n- {{id: practised, kind: drill, every: 90d, by: owner@example.org}}")
REPORT = f"sha256:{'0' * 64}"
PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
BEGUN = Begun(scenario="leak", title="Leaked data", limit_seconds=4 * 3_600)
HELD = Held(scenario="leak", passed=True, report=REPORT)


def said(
    offset: str, what: Statement, drill: str = "leak-1", clause: str = "example#drill", **fields: Any
) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": f"{clause}/{drill}",
        "kind": "drill", "person": "owner@example.org", "event_id": f"a{offset}{drill}", "statement": stated_text(what),
        **fields,
    }  # fmt: skip


def practised(offset: str, what: Statement, drill: str = "leak-1", **fields: Any) -> dict[str, Any]:
    return said(offset, what, drill, "example#practised", **fields)


def drills(documents: str, event: dict[str, Any]) -> list[Violation]:
    """What an event pages for practice."""
    return [v for v in found(documents, [event], "2h") if v.kind == "drill"]


def verdicts(documents: str, events: Sequence[dict[str, Any]], now: str = "60d") -> list[tuple[str, str]]:
    """What attestations came to: reason and sentence, in the order of the events."""
    estate, heard = estate_of(documents), dict[str, Verdict]()
    with History([Plan(estate)]) as history:
        for record_type, frame in chunks_of([record_of(event) for event in events]):
            history.add(record_type, frame)
        list(judged(estate, history, at(now), hear=lambda v: heard.__setitem__(v.acknowledgement_id, v)))
    return [(v.reason, v.summary) for v in sorted(heard.values(), key=lambda v: v.answered_at)]


# Drills


def test_every_contract_can_be_drilled_by_its_owner_or_a_party() -> None:
    (drill,) = found(NONE, [said("1h", BEGUN)], "2h")
    assert (drill.severity, drill.kind, drill.clause, drill.slice) == ("drill", "drill", "drill", "leak-1")
    assert (drill.state, drill.person, drill.opened_at) == ("open", "owner@example.org", at("1h"))
    assert drill.summary.startswith("DRILL, nothing has happened to scorer: “Leaked data”, run by owner@example.org")
    assert drill.evidence[0].event_id == "a1hleak-1"
    assert brief(found(NONE, [said("1h", BEGUN, person="second@example.org")], "2h")) == [
        ("leak-1", "drill", "open", HOUR)
    ]


def test_a_clause_of_that_name_is_left_alone() -> None:
    taken = contract("scorer", "- {id: drill, kind: range, min: 0, max: 1}")
    (drill,) = found(taken, [said("1h", BEGUN, clause="example#drill-1")], "2h")
    assert (drill.clause, drill.kind) == ("drill-1", "drill")


def test_a_drill_climbs_the_list_as_a_breach_does_and_is_acknowledged_as_one() -> None:
    live = Live(NONE)
    live.flush([said("1h", BEGUN)], at("1h"))
    assert [(v.state, v.person, v.step) for v in live.latest.values()] == [("open", "owner@example.org", 0)]
    live.flush([], at("1h16m"))
    (drill,) = live.latest.values()
    assert (drill.state, drill.person, drill.step) == ("escalated", "second@example.org", 1)
    taken = {
        "type": "acknowledgement", "event_time": at("1h20m"), "system": "scorer", "of": "violation",
        "reference": drill.violation_id, "person": "second@example.org", "answer": "accept",
    }  # fmt: skip
    live.flush([taken], at("1h20m"))
    (drill,) = live.latest.values()
    assert (drill.state, drill.acknowledged_by) == ("acknowledged", "second@example.org")


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (HELD, "is over after 20 m: nobody took it on, and it passed"),
        (HELD.model_copy(update={"passed": False}), "and it did not pass"),
        (CalledOff(scenario="leak", why="a real one came"), "was called off after 20 m: “a real one came”"),
    ],
)
def test_who_runs_it_ends_it(end: Statement, text: str) -> None:
    (drill,) = found(NONE, [said("1h", BEGUN), said("1h20m", end)], "2h")
    assert (drill.state, drill.resolved_at) == ("resolved", at("1h20m"))
    assert text in drill.summary


def test_a_drill_that_nobody_ends_ends_itself_at_its_limit() -> None:
    (drill,) = found(NONE, [said("1h", BEGUN)], "9h")
    assert (drill.state, drill.resolved_at) == ("resolved", at("5h"))
    assert "over after 4 h, in which nobody said what it came to" in drill.summary
    late = said("6h", HELD)
    assert verdicts(NONE, [said("1h", BEGUN), late])[1] == ("over", "no drill leak-1 of scorer is under way")


def test_one_drill_runs_at_a_time() -> None:
    second = said("2h", BEGUN, "leak-2", person="second@example.org")
    assert brief(found(NONE, [said("1h", BEGUN), second], "3h")) == [("leak-1", "drill", "open", HOUR)]
    reason, text = verdicts(NONE, [said("1h", BEGUN), second])[1]
    assert (reason, text.startswith("drill leak-1 of owner@example.org has been under way")) == ("taken", True)
    after = [said("1h", BEGUN), said("1h30m", HELD), second]
    assert brief(found(NONE, after, "3h"))[1:] == [("leak-2", "drill", "open", 2 * HOUR)]


@pytest.mark.parametrize(
    ("fields", "reason", "text"),
    [
        ({"person": "stranger@example.org"}, "not_asked", "nobody that the documents know"),
        ({"subject": "example#drill"}, "nobody_asks", "no drill of example#drill"),
        ({"subject": "example#drill/"}, "nobody_asks", "no drill of example#drill"),
        ({"statement": None}, "unreadable", "it is run by"),
        ({"statement": "{"}, "unreadable", "is no JSON"),
        ({"statement": '{"state":"begun"}'}, "unreadable", "scenario: Field required"),
        ({"statement": '{"state":"over"}'}, "unreadable", "its statement: "),
        ({"statement": '{"state":"begun","state":"begun"}'}, "unreadable", "stands twice"),
    ],
)
def test_what_is_no_drill_pages_nobody(fields: dict[str, Any], reason: str, text: str) -> None:
    event = said("1h", BEGUN) | fields
    assert found(NONE, [event], "2h") == []
    ((why, sentence),) = verdicts(NONE, [event])
    assert why == reason
    assert text.replace("it is run by", "a drill is run by") in sentence


def test_a_drill_that_its_person_did_not_sign_pages_nobody() -> None:
    key = f"keys: [{{key_id: third-1, public: {PUBLIC}}}]"
    keyed = f"{NONE}\n---\nkind: Person\nid: third@example.org\nname: Example Third\n{key}\n"
    keyed = keyed.replace("signatory: second@example.org", "signatory: third@example.org")
    event = said("1h", BEGUN, person="third@example.org")
    assert drills(keyed, event) == []
    assert verdicts(keyed, [event])[0][0] == "unsigned"
    record = {"metric": None, "value": None, "evidence_uri": None} | event
    signature = b64encode(sign(attestation_bytes(record), PRIVATE)).decode()
    signed = event | {"key_id": "third-1", "signature": signature}
    assert brief(drills(keyed, signed)) == [("leak-1", "drill", "open", HOUR)]
    other = signed | {"statement": stated_text(BEGUN.model_copy(update={"title": "Another"}))}
    assert drills(keyed, other) == []
    assert verdicts(keyed, [other])[0][0] == "wrong_signature"


def test_nothing_follows_up_on_a_drill() -> None:
    learn = "- {id: learn, kind: follow_up, by: second@example.org, severities: [breach, warning]}"
    agreed = contract("scorer", f"{VALID}\n{learn}")
    violations = found(agreed, [said("1h", BEGUN), said("2h", HELD)], "60d")
    assert [(v.kind, v.state) for v in violations] == [("drill", "resolved")]


# The clock


def test_a_drill_is_due_so_often_from_the_first_event_on() -> None:
    assert found(DEMANDED, [decision("1h", score=0.5)], "90d") == []
    (late,) = found(DEMANDED, [decision("1h", score=0.5)], "91d")
    assert (late.severity, late.clause, late.opened_at, late.person) == (
        "breach", "practised", at("1h") + 90 * DAY, "owner@example.org",
    )  # fmt: skip
    assert (late.observed, late.limit, late.unit) == (90 * 86_400, 90 * 86_400, "s")
    assert "owner@example.org has not held a drill of it since" in late.summary


def test_a_drill_that_was_held_restarts_the_clock_and_ends_the_breach() -> None:
    held = [practised("10d", BEGUN), practised("11d", HELD.model_copy(update={"passed": False}))]
    # It ended itself before its end was attested, a day later.
    assert brief(found(DEMANDED, [decision("1h", score=0.5), *held], "91d"))[1:] == [
        (None, "breach", "open", 90 * DAY + HOUR)
    ]
    in_time = [practised("10d", BEGUN), practised("10d1h", HELD)]
    later = [v for v in found(DEMANDED, [decision("1h", score=0.5), *in_time], "101d") if v.severity == "breach"]
    assert [v.opened_at for v in later] == [at("100d1h")]
    late = [practised("95d", BEGUN), practised("95d1h", HELD)]
    over = [v for v in found(DEMANDED, [decision("1h", score=0.5), *late], "96d") if v.severity == "breach"]
    assert [(v.state, v.resolved_at) for v in over] == [("resolved", at("95d1h"))]


def test_a_drill_that_was_called_off_restarts_nothing() -> None:
    off = [practised("10d", BEGUN), practised("10d1h", CalledOff(scenario="leak", why="it rained"))]
    breaches = [v for v in found(DEMANDED, [decision("1h", score=0.5), *off], "91d") if v.severity == "breach"]
    assert [v.opened_at for v in breaches] == [at("1h") + 90 * DAY]


def test_only_who_is_named_runs_what_is_demanded() -> None:
    other = practised("1h", BEGUN, person="second@example.org")
    assert verdicts(DEMANDED, [other]) == [
        ("not_asked", "a drill of scorer by example is for owner@example.org to run, not for second@example.org")
    ]


def test_what_is_live_is_what_a_replay_finds() -> None:
    events = [decision("1h", score=0.5), practised("2h", BEGUN), practised("2h40m", HELD)]
    live = Live(DEMANDED)
    for event in events:
        live.flush([event], event["event_time"])
    live.flush([], at("3h"))
    (replayed,) = found(DEMANDED, events, "3h")
    (heard,) = live.latest.values()
    assert (heard.violation_id, heard.summary, heard.resolved_at) == (
        replayed.violation_id, replayed.summary, replayed.resolved_at,
    )  # fmt: skip


def test_a_statement_is_read_as_it_was_written() -> None:
    for what in (BEGUN, HELD, CalledOff(scenario="leak", why="no")):
        assert read_statement(stated_text(what)) == what
    assert json.loads(stated_text(BEGUN))["limit_seconds"] == 4 * HOUR // (MINUTE // 60)
