"""Incident: what is declared one is reported so long after one is aware of it, whatever the order of what is heard."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from seamwatch.clauses.incident import Incident
from seamwatch.clauses.incident import state as limits
from seamwatch.clauses.incident.statement import read_declaration, read_report
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.seams import Seams
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import ForwardedEvent, Verdict, Violation
from seamwatch.judging.model.judgement import Moment, Resolve, TimePassed
from seamwatch.signatures import attestation_bytes, sign
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.replay import chunks_of, judged
from tests.clauses.history import at, contract, decision, estate_of, found, record_of
from tests.clauses.test_state import Live

OWNER, SECOND, THIRD = "owner@example.org", "second@example.org", "third@example.org"
PERSON = f"---\nkind: Person\nid: {THIRD}\nname: Example Third\n"
CLAUSE = f"- {{id: serious, kind: incident, by: {THIRD}}}"
AGREED = contract("scorer", CLAUSE) + PERSON
PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
V = "a3506823-6d7d-8db3-b87e-d32a654ea33f"


def word(offset: str, kind: str, said: dict[str, Any], of: str = V, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": f"example#serious/{of}",
        "kind": kind, "person": OWNER, "event_id": f"{kind}{offset}", "statement": json.dumps(said), **fields,
    }  # fmt: skip


def declared(offset: str, kind: str = "serious", aware: str = "1d", of: str = V, **fields: Any) -> dict[str, Any]:
    said = {
        "kind": kind,
        "aware": format_instant(at(aware)),
        "began": format_instant(at("1h")),
        "note": "harm was done",
    }
    return word(offset, "incident", said, of, **fields)


def withdrawn(offset: str, of: str = V, **fields: Any) -> dict[str, Any]:
    return word(offset, "incident", {"withdrawn": "nobody was harmed"}, of, **fields)


def report(offset: str, stage: str = "complete", of: str = V, **fields: Any) -> dict[str, Any]:
    said = {"stage": stage} | ({"content": "what we know"} if stage == "draft" else {"to": "the authority"})
    return word(offset, "report", said, of, **{"evidence_uri": "https://example.org/receipt", **fields})


def owed(events: Sequence[dict[str, Any]], now: str, documents: str = AGREED) -> list[tuple[Any, ...]]:
    """What is or was overdue: slice, when since T0 in hours, until when, and whose it is."""
    return [
        (v.slice, (v.opened_at - at()) / HOUR, None if v.resolved_at is None else (v.resolved_at - at()) / HOUR)
        for v in found(documents, events, now)
        if v.kind == "incident"
    ]


def verdicts(*events: dict[str, Any], documents: str = AGREED, now: str = "90d") -> list[tuple[str, str]]:
    """What attestations came to: reason and sentence, of several about one the last."""
    estate, heard = estate_of(documents), dict[str, Verdict]()

    def hear(verdict: Verdict) -> None:
        heard[verdict.acknowledgement_id] = verdict

    with History([Plan(estate)]) as history:
        for record_type, frame in chunks_of([record_of(event) for event in events]):
            history.add(record_type, frame)
        list(judged(estate, history, at(now), hear=hear))
    assert all(v.of == "attestation" for v in heard.values())
    return [(v.reason, v.summary) for v in heard.values()]


def came(*events: dict[str, Any], documents: str = AGREED) -> list[str]:
    return [reason for reason, _ in verdicts(*events, documents=documents)]


# The clock


@pytest.mark.parametrize(("kind", "days"), [("serious", 15), ("death", 10), ("widespread", 2), ("infrastructure", 2)])
def test_the_clock_runs_from_when_one_is_aware_by_the_kind(kind: str, days: int) -> None:
    events = [declared("2d", kind, aware="1d")]
    assert owed(events, f"{days + 1}d") == [(V, (days + 1) * 24, None)]
    assert owed(events, f"{days}d23h59m") == []
    (late,) = found(AGREED, events, "40d")
    assert (late.since, late.person, late.observed, late.unit) == (at("1d"), THIRD, days * 86_400, "s")
    assert [one.event_id for one in late.evidence] == ["incident2d"]


def test_a_date_is_its_midnight_and_on_the_day_it_began_when_it_did() -> None:
    whole = json.loads(declared("3d")["statement"])
    for day, hour in (("2026-03-02", 1), ("2026-03-03", 24)):
        said = json.dumps(whole | {"aware": day})
        assert owed([declared("3d", statement=said)], "90d") == [(V, 15 * 24 + hour, None)]
    assert came(declared("3d", statement=json.dumps(whole | {"aware": "2026-03-01"}))) == ["unreadable"]


def test_others_are_agreed_by_the_contract() -> None:
    agreed = CLAUSE.replace("}", ", within: {major: 72h}, severity: warning}")
    text = contract("scorer", agreed) + PERSON
    assert owed([declared("2d", "major")], "30d", text) == [(V, 4 * 24, None)]
    assert came(declared("2d", "death"), documents=text) == ["unreadable"]


def test_a_report_in_time_stops_it_and_a_late_one_ends_the_breach() -> None:
    for stage in ("initial", "complete"):
        text = contract("scorer", CLAUSE.replace("}", ", complete_within: null}")) + PERSON
        assert owed([declared("2d"), report("16d", stage)], "90d", text) == []
        assert owed([declared("2d"), report("17d", stage)], "90d", text) == [(V, 16 * 24, 17 * 24)]


def test_an_initial_report_owes_the_complete_one() -> None:
    events = [declared("2d"), report("10d", "initial")]
    assert owed(events, "90d") == [(V, 40 * 24, None)]
    assert owed([*events, report("30d")], "90d") == []
    assert owed([*events, report("50d")], "90d") == [(V, 40 * 24, 50 * 24)]
    late = found(AGREED, [declared("2d"), report("20d", "initial"), report("70d")], "90d")
    assert [(v.summary.partition(", ")[0], v.state) for v in late] == [
        ("scorer: owner@example.org sent the initial report of violation a3506823…", "resolved"),
        ("scorer: owner@example.org sent the complete report of violation a3506823…", "resolved"),
    ]


def test_another_kind_shortens_the_clock_and_never_lengthens_it() -> None:
    assert owed([declared("2d"), declared("4d", "death")], "90d") == [(V, 11 * 24, None)]
    assert owed([declared("2d", "death"), declared("4d", "serious")], "90d") == [(V, 11 * 24, None)]
    assert owed([declared("2d"), declared("13d", "death", aware="12d")], "90d") == [(V, 16 * 24, None)]
    assert owed([declared("2d"), declared("13d", "death")], "90d") == [(V, 11 * 24, None)], "it was due before that"
    reported = [declared("2d"), report("12d", "initial"), declared("13d", "death"), report("14d")]
    assert owed(reported, "90d") == [], "what is reported was in time by what was known"


def test_a_withdrawal_ends_it_and_what_is_declared_anew_has_a_new_clock() -> None:
    assert owed([declared("2d"), withdrawn("3d")], "90d") == []
    assert owed([declared("2d"), withdrawn("20d")], "90d") == [(V, 16 * 24, 20 * 24)]
    again = [declared("2d"), withdrawn("3d"), declared("5d", "death", aware="4d")]
    assert owed(again, "90d") == [(V, 14 * 24, None)]
    twice = [declared("2d"), withdrawn("20d"), declared("21d", "serious", aware="20d")]
    assert owed(twice, "90d") == [(V, 16 * 24, 20 * 24), (V, 35 * 24, None)]
    assert owed([declared("2d"), report("3d"), declared("30d", "death", aware="29d")], "90d") == [(V, 39 * 24, None)]


# What a word comes to


def test_each_word_is_told_what_it_came_to() -> None:
    assert came(declared("2d")) == ["counts"]
    assert came(declared("2d"), report("3d", "draft"), report("4d", "initial"), report("5d")) == ["counts"] * 4
    assert came(declared("2d"), report("3d", "initial"), report("4d", "initial")) == ["counts", "counts", "over"]
    assert came(declared("2d"), report("3d"), report("4d", "initial")) == ["counts", "counts", "over"]
    assert came(declared("2d"), withdrawn("3d"), report("4d")) == ["counts", "counts", "over"]
    assert came(declared("2d"), report("3d"), withdrawn("4d")) == ["counts", "counts", "over"]
    for early in (report("3d"), report("3d", "draft"), withdrawn("3d")):
        assert came(early) == ["unknown"]
    assert came(report("36h", "draft"), declared("2d"), report("2d", "draft", event_id="later")) == [
        "unknown", "counts", "counts",
    ]  # fmt: skip
    assert came(declared("2d", aware="3d")) == ["unreadable"], "aware after it was declared"
    assert came(declared("2d", aware="30m")) == ["unreadable"], "aware before it began"
    assert came(declared("2d", "accident")) == ["unreadable"]
    assert came(declared("2d", statement=None)) == ["unreadable"]
    assert came(declared("2d", statement="{}")) == ["unreadable"]
    assert came(declared("2d"), report("3d", evidence_uri=None)) == ["counts", "no_evidence"]
    assert came(declared("2d", person="stranger@example.org")) == ["not_asked"]
    assert came(declared("2d", subject=f"other#serious/{V}")) == ["nobody_asks"]
    other = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")
    assert verdicts(declared("2d"), documents=other) == [
        ("nobody_asks", "no contract over scorer takes declarations of incidents")
    ]


def test_who_reports_who_owns_who_signs_and_whom_the_clause_names_may_declare() -> None:
    fourth = "fourth@example.org"
    more = f"---\nkind: Person\nid: {fourth}\nname: Example Fourth\n"
    for person in (OWNER, SECOND, THIRD):
        assert came(declared("2d", person=person), documents=AGREED + more) == ["counts"]
    assert came(declared("2d", person=fourth), documents=AGREED + more) == ["not_asked"]
    owns = f"---\nkind: System\nid: scorer\ntype: model\nowner: {fourth}\n"
    assert came(declared("2d", person=fourth), documents=AGREED + more + owns) == ["counts"]
    named = contract("scorer", CLAUSE.replace("}", f", declared_by: [{fourth}]}}")) + PERSON + more
    assert came(declared("2d", person=fourth), documents=named) == ["counts"]


def test_who_has_keys_signs_all_that_it_says() -> None:
    person = f'---\nkind: Person\nid: {THIRD}\nname: Example\nkeys: [{{key_id: k1, public: "{PUBLIC}"}}]\n'
    text = contract("scorer", CLAUSE) + person
    event = declared("2d", person=THIRD, key_id="k1")
    event["signature"] = b64encode(sign(attestation_bytes(record_of(event)[1]), PRIVATE)).decode()
    assert came(event, documents=text) == ["counts"]
    assert len(owed([event], "90d", text)) == 1
    for fault, reason in (
        ({"signature": None}, "unsigned"), ({"key_id": "k2"}, "unknown_key"),
        ({"statement": declared("2d", "death")["statement"]}, "wrong_signature"),
        ({"subject": f"example#serious/{V}0"}, "wrong_signature"), ({"event_time": at("3d")}, "wrong_signature"),
    ):  # fmt: skip
        assert came(event | fault, documents=text) == [reason]
        assert owed([event | fault], "90d", text) == []


# Live, over restarts, and in any order


HISTORY = [
    declared("2d"), report("3d", "draft"), declared("4d", "death", person=SECOND), report("13d", "initial"),
    report("60d"), declared("5d", "infrastructure", aware="4d", of="second"), withdrawn("9d", of="second"),
    declared("20d", "serious", aware="18d", of="third"), report("22d", "initial", of="fourth"),
    declared("80d", "widespread", aware="79d", of="second"), decision("90d", score=0.5),
]  # fmt: skip


def live(documents: str, events: Sequence[dict[str, Any]], until: int, step: int = 12 * HOUR) -> Live:
    """A judge that is restarted after each step, which has judged the events by their arrival."""
    judge = Live(documents)
    for start in range(at(), at() + until, step):
        judge.flush([e for e in events if start <= e["event_time"] < start + step], start + step)
    return judge


def told(violations: Sequence[Violation]) -> list[tuple[Any, ...]]:
    return sorted((v.violation_id, v.opened_at, v.resolved_at or 0, v.summary) for v in violations)


@pytest.mark.parametrize("step", [6 * HOUR, 12 * HOUR, 5 * DAY, 40 * DAY])
def test_a_judge_that_is_restarted_finds_what_a_replay_finds(step: int) -> None:
    replayed = found(AGREED, HISTORY, "120d")
    assert [(v.slice, v.state) for v in sorted(replayed, key=lambda v: v.opened_at)] == [
        ("second", "resolved"), (V, "resolved"), ("third", "open"), (V, "resolved"), ("second", "open"),
    ]  # fmt: skip
    judge = live(AGREED, HISTORY, 120 * DAY, step)
    assert told(list(judge.latest.values())) == told(replayed)


@pytest.mark.parametrize("seed", range(5))
def test_in_which_order_words_are_heard_makes_no_difference(seed: int) -> None:
    events = HISTORY[:10]
    random.Random(seed).shuffle(events)
    judge = Live(AGREED)
    for event in events:
        judge.flush([event], at("89d"), at("1h"))
    judge.flush([decision("90d", score=0.5)], at("120d"), at("120d"))
    assert told(list(judge.latest.values())) == told(found(AGREED, HISTORY, "120d"))


def test_who_reports_is_reminded_at_once_and_at_the_agreed_shares() -> None:
    judge = live(AGREED, [declared("2d", aware="2d"), declared("4d", "death", aware="2d"), report("20d")], 30 * DAY)
    notices = [(n.type, n.person, n.slice, n.due_at, (n.detected_at - at()) / DAY) for n in judge.notices]
    assert notices == [
        ("reminder", THIRD, V, at("17d"), 2.5), ("reminder", THIRD, V, at("12d"), 4.5),
        ("reminder", THIRD, V, at("12d"), 8.0), ("reminder", THIRD, V, at("12d"), 10.5),
    ]  # fmt: skip
    assert "8 d left, until 2026-03-14 00:00:00 UTC" in judge.notices[1].summary


def test_what_is_overdue_climbs_the_escalation_list() -> None:
    judge = live(AGREED, [declared("2d", "infrastructure")], 6 * DAY, step=10 * 60 * 1_000_000)
    (late,) = judge.latest.values()
    assert (late.state, late.person) == ("escalated", SECOND)


def test_what_was_judged_stands_while_a_backfill_tells_no_time() -> None:
    seams = Seams(estate_of(AGREED))
    (bound,) = (each for each in seams.wanting("attestation", "scorer", at()) if each.clause.kind_name == "incident")
    heard = ForwardedEvent("attestation", record_of(declared("2d", "infrastructure"))[1])
    first = bound.clause.judge(bound.seam, None, heard, Moment(at("9d"), at("9d")))
    assert [type(finding).__name__ for finding in first.findings] == ["Answered", "Open"]
    late = ForwardedEvent("attestation", record_of(report("8d"))[1])
    second = bound.clause.judge(bound.seam, first.state, late, Moment(at("9d"), -(2**62)))
    assert [type(finding).__name__ for finding in second.findings] == ["Answered"]
    third = bound.clause.judge(bound.seam, second.state, TimePassed(), Moment(at("9d"), at("9d")))
    assert third.findings == (
        Resolve(
            "breach", "report", at("8d"), V,
            f"scorer: {OWNER} sent the complete report of violation a3506823…, 5 d after it was due",
        ),
    )  # fmt: skip


# What is remembered


def kept(judge: Live) -> dict[str, Any]:
    (value,) = (json.loads(value) for key, value in judge.topic.items() if '"serious"' in key)
    state: dict[str, Any] = value["state"]
    return state


def test_those_of_which_nothing_is_owed_make_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CASES_KEPT", 2)
    events = [declared("2d", "infrastructure", of="first"), declared("3d", of="done"), report("4d", of="done")]
    judge = live(AGREED, [*events, declared("5d", of="third"), declared("6d", of="last")], 8 * DAY)
    assert sorted(case["violation_id"] for case in kept(judge)["cases"]) == ["last", "third"]
    (late,) = judge.latest.values()
    assert late.state == "resolved"
    assert "followed no longer" in late.summary


def test_no_more_than_so_much_is_heard_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORDS_KEPT", 2)
    assert came(declared("2d"), declared("3d"), declared("4d")) == ["counts", "counts", "over"]


def test_a_report_of_what_nobody_declares_is_forgotten_after_a_while() -> None:
    judge = live(AGREED, [report("2d", of="unheard"), declared("40d", aware="39d", of="other")], 41 * DAY)
    assert [case["violation_id"] for case in kept(judge)["cases"]] == ["other"]


# What is agreed, and stated


def test_a_clause_says_what_is_wrong_with_it() -> None:
    base = {"id": "serious", "kind": "incident", "by": THIRD}
    for fault, why in (
        ({"where": "score > 0"}, "leave out 'where'"), ({"within": {}}, "at least 1"),
        ({"within": {"No Kind": "1d"}}, "pattern"), ({"within": {"death": "0s"}}, "longer than zero"),
        ({"remind_at": [1.5]}, "less than 1"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=why):
            Incident.model_validate(base | fault)


def test_a_statement_says_what_is_wrong_with_it() -> None:
    whole = json.loads(declared("2d")["statement"])
    for broken, why in (
        (whole | {"note": " "}, "note: it says nothing"), (whole | {"aware": "soon"}, "aware: 'soon' is not a time"),
        (whole | {"more": 1}, "more: Extra inputs"), ({"withdrawn": ""}, "withdrawn: "),
        ({"withdrawn": "why", "kind": "death"}, "kind: Extra inputs"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            read_declaration(json.dumps(broken))
    for report_of, why in (
        ({"stage": "sent"}, "stage: "), ({"stage": "draft"}, "a draft says something"),
        ({"stage": "draft", "sha256": "abc"}, "sha256: "),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            read_report(json.dumps(report_of))
