"""Review: the clock runs from the document, the first event or the last review, and runs out in silence."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import DAY, HOUR
from seamwatch.errors import SeamwatchError
from seamwatch.signatures import attestation_bytes, sign
from tests.clauses.history import at, brief, contract, decision, found, record_of
from tests.clauses.test_state import Live

QUARTERLY = contract("scorer", "- {id: quarterly, kind: review, every: 90d, by: second@example.org}")
SYSTEM = """---
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
review: {every: 90d, by: second@example.org, last: 2026-02-20}
"""
PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()


def review(offset: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": "example#quarterly",
        "kind": "review", "person": "second@example.org", "event_id": f"a{offset}", **fields,
    }  # fmt: skip


def test_a_system_that_is_never_reviewed_breaches_so_long_after_its_first_event() -> None:
    events = [decision("5h"), decision("1h"), decision("30d")]
    assert found(QUARTERLY, events, now="90d") == []
    (violation,) = found(QUARTERLY, events, now="91d")
    assert brief([violation]) == [(None, "breach", "open", 90 * DAY + HOUR)]
    assert (violation.person, violation.limit, violation.since) == ("second@example.org", 90 * 86_400, at("1h"))


def test_each_review_restarts_the_clock_and_a_late_one_ends_the_breach() -> None:
    events = [decision("1h"), review("80d"), review("200d")]
    violations = found(QUARTERLY, events, now="290d1h")
    assert brief(violations) == [(None, "breach", "resolved", 170 * DAY), (None, "breach", "open", 290 * DAY)]
    assert violations[0].resolved_at == at("200d")
    assert [e.event_id for e in violations[0].evidence] == ["a80d"]


def test_the_handoff_point_names_the_review_too() -> None:
    assert found(QUARTERLY, [review("1h", subject="review"), review("80d", subject="review")], now="100d") == []


def test_others_and_other_things_have_no_effect() -> None:
    for other in ({"person": "owner@example.org"}, {"kind": "coverage"}, {"subject": "other#quarterly"}):
        assert brief(found(QUARTERLY, [decision("1h"), review("80d", **other)], now="100d")) == [
            (None, "breach", "open", 90 * DAY + HOUR)
        ]


def test_the_system_document_says_when_it_was_last_reviewed() -> None:
    violations = found(QUARTERLY + SYSTEM, [decision("1h")], now="81d")
    assert brief(violations) == [(None, "breach", "open", 80 * DAY)]
    assert found(QUARTERLY + SYSTEM, [decision("1h"), review("79d")], now="100d") == []
    late = found(QUARTERLY + SYSTEM, [review("85d")], now="100d")
    assert [(v.opened_at, v.resolved_at) for v in late] == [(at("80d"), at("85d"))]


def test_who_has_keys_must_sign() -> None:
    person = f"""---
apiVersion: seamwatch/v1
kind: Person
id: lead@example.org
name: Example Lead
keys: [{{key_id: k1, public: "{PUBLIC}"}}]
"""
    text = contract("scorer", "- {id: quarterly, kind: review, every: 90d, by: lead@example.org}") + person
    event = review("80d", person="lead@example.org", key_id="k1", value=0.5)
    signature = b64encode(sign(attestation_bytes(record_of(event)[1]), PRIVATE)).decode()
    assert found(text, [decision("1h"), event | {"signature": signature}], now="100d") == []
    for fault in ({}, {"signature": signature, "value": 0.6}):
        assert len(found(text, [decision("1h"), event | fault], now="100d")) == 1


def test_without_by_who_signs_for_a_party_reviews_and_nobody_else() -> None:
    text = contract("scorer", "- {id: quarterly, kind: review, every: 90d}")
    for who in ("owner@example.org", "second@example.org"):
        assert found(text, [decision("1h"), review("80d", person=who)], now="100d") == []
    colleague = "---\napiVersion: seamwatch/v1\nkind: Person\nid: colleague@example.org\nname: Example Colleague\n"
    for who in ("stranger@example.org", "colleague@example.org"):
        assert len(found(text + colleague, [decision("1h"), review("80d", person=who)], now="100d")) == 1


def scheduled(system: str = SYSTEM, clause: str = "- {id: only, kind: coverage, reviewer: second@example.org}") -> str:
    return contract("scorer", clause) + system


def test_the_system_s_own_schedule_runs_without_a_clause() -> None:
    (late,) = found(scheduled(), [decision("1h")], now="90d")
    assert (late.contract, late.clause, late.person, late.severity) == (
        "schedule", "review", "second@example.org", "breach",
    )  # fmt: skip
    assert (late.limit, late.since, late.state) == (90 * 86_400, at() - 10 * DAY, "open")
    (ended,) = found(scheduled(), [decision("1h"), review("85d", subject="review")], now="90d")
    assert (ended.state, ended.resolved_at) == ("resolved", at("85d"))
    (named,) = found(scheduled(), [decision("1h"), review("85d", subject="schedule#review")], now="90d")
    assert named.state == "resolved"
    (other,) = found(scheduled(), [decision("1h"), review("85d", person="owner@example.org")], now="90d")
    assert other.state == "open"


def test_a_clause_of_a_contract_takes_the_place_of_the_schedule() -> None:
    agreed = scheduled(clause="- {id: yearly, kind: review, every: 365d, by: second@example.org}")
    assert found(agreed, [decision("1h")], now="300d") == []
    (late,) = found(scheduled(clause="- {id: theirs, kind: review}"), [decision("1h")], now="90d")
    assert (late.contract, late.clause, late.person) == ("example", "theirs", "second@example.org")
    nothing = SYSTEM.replace("review: {every: 90d, by: second@example.org, last: 2026-02-20}\n", "")
    assert found(scheduled(nothing), [decision("1h")], now="300d") == []
    assert found(scheduled(nothing, "- {id: theirs, kind: review}"), [decision("1h")], now="300d") == []


# Reminders


def reminders(document: str, events: list[dict[str, Any]], days: int) -> list[tuple[str, int, int]]:
    """Whom a judge that is restarted every day reminds, when (days after the first), and of what is due when."""
    live = Live(document)
    for day in range(days):
        live.flush(
            [e for e in events if at() + day * DAY <= e["event_time"] < at() + (day + 1) * DAY], at(f"{day + 1}d")
        )
    assert all(n.type == "reminder" for n in live.notices)
    return [(n.person, (n.detected_at - at()) // DAY, (n.due_at - at()) // DAY) for n in live.notices]


def test_the_reviewer_is_reminded_once_before_the_clock_runs_out() -> None:
    events = [decision("1h"), review("50d")]
    assert reminders(QUARTERLY, events, 160) == [("second@example.org", 133, 140)]
    assert reminders(QUARTERLY.replace("every: 90d", "every: 20d"), [decision("1h")], 30) == [
        ("second@example.org", 18 + 1, 20)
    ]
    assert reminders(QUARTERLY, [decision("1h"), review("80d")], 100) == [], "it was done before that"
    earlier = QUARTERLY.replace("every: 90d", "every: 90d, remind_before: 30d")
    assert reminders(earlier, [decision("1s")], 100) == [("second@example.org", 60, 90)]
    assert reminders(QUARTERLY.replace("every: 90d", "every: 90d, remind_before: never"), events, 160) == []


def test_of_the_system_s_own_schedule_its_reviewer_is_reminded() -> None:
    assert reminders(scheduled(), [decision("1h")], 79) == [("second@example.org", 73, 80)]


def test_without_a_reviewer_each_signatory_is_reminded() -> None:
    anybody = QUARTERLY.replace(", by: second@example.org", "")
    assert reminders(anybody, [decision("1s")], 90) == [
        ("owner@example.org", 83, 90),
        ("second@example.org", 83, 90),
    ]


# Several who must

BOTH = contract("scorer", "- {id: quarterly, kind: review, every: 90d, by: [owner@example.org, second@example.org]}")
OWNERS = {"person": "owner@example.org", "event_id": "o"}


def test_where_several_review_the_clock_restarts_when_the_last_of_them_has() -> None:
    events = [decision("1h"), review("80d"), review("85d", **OWNERS), decision("170d")]
    assert found(BOTH, events, now="174d") == []
    (late,) = found(BOTH, events, now="176d")
    assert brief([late]) == [(None, "breach", "open", 175 * DAY)]
    assert "owner@example.org and second@example.org have not reviewed it since" in late.summary


def test_the_breach_is_one_and_names_who_is_missing() -> None:
    (late,) = found(BOTH, [decision("1h"), review("80d")], now="100d")
    assert brief([late]) == [(None, "breach", "open", 90 * DAY + HOUR)]
    assert late.summary.endswith(
        "owner@example.org has not reviewed it since 2026-03-02 01:00:00 UTC; agreed every 90 d; second@example.org has"
    )
    assert late.person == "owner@example.org"
    (partly,) = found(BOTH, [decision("1h"), review("95d")], now="100d")
    assert partly.violation_id == late.violation_id
    assert partly.summary == late.summary, "what is said late is said of the same breach"
    (over,) = found(BOTH, [decision("1h"), review("95d"), review("99d", **OWNERS)], now="100d")
    assert (over.state, over.resolved_at, over.violation_id) == ("resolved", at("99d"), late.violation_id)


def test_two_words_of_one_person_are_not_those_of_two() -> None:
    assert len(found(BOTH, [decision("1h"), review("80d"), review("85d", event_id="again")], now="100d")) == 1


def test_who_has_reviewed_is_reminded_no_more_and_a_restart_forgets_nobody() -> None:
    assert reminders(BOTH, [decision("1s"), review("40d")], 90) == [("owner@example.org", 83, 90)]
    live = Live(BOTH)
    for day, event in ((0, decision("1h")), (80, review("80d")), (85, review("85d", **OWNERS)), (174, None)):
        live.flush([] if event is None else [event], at() + day * DAY + 2 * HOUR)
    assert live.latest == {}
    live.flush([], at("176d"))
    assert live.told()[0][0] == at("175d")


def test_the_system_document_may_name_several_who_all_must() -> None:
    both = SYSTEM.replace("by: second@example.org", "by: [owner@example.org, second@example.org]")
    (late,) = found(scheduled(both), [review("60d", subject="review")], now="90d")
    assert (late.contract, late.person) == ("schedule", "owner@example.org")
    done = [review("60d", subject="review"), review("61d", subject="review", **OWNERS)]
    assert found(scheduled(both), done, now="100d") == []


# Other points than the system

RUNBOOK = SYSTEM.replace("review: {every: 90d", "runbook: https://example.org/r\nrunbook_review: {every: 90d")


def test_a_runbook_s_review_is_a_point_of_its_own() -> None:
    (late,) = found(scheduled(RUNBOOK), [decision("1h"), review("1d", subject="review")], now="90d")
    assert (late.contract, late.clause, late.opened_at) == ("runbook-schedule", "runbook", at("80d"))
    assert "second@example.org has not reviewed its runbook since 2026-02-20" in late.summary
    for subject in ("runbook", "runbook-schedule#runbook"):
        assert found(scheduled(RUNBOOK), [decision("1h"), review("1d", subject=subject)], now="90d") == []
    both = RUNBOOK + "review: {every: 60d, by: owner@example.org, last: 2026-02-20}\n"
    assert [v.contract for v in found(scheduled(both), [decision("1h")], now="90d")] == ["schedule", "runbook-schedule"]


def test_a_clause_on_the_runbook_takes_the_place_of_its_schedule_and_not_of_the_system_s() -> None:
    clause = "- {id: at-night, kind: review, of: runbook, every: 300d, by: owner@example.org}"
    both = RUNBOOK + "review: {every: 60d, by: second@example.org, last: 2026-02-20}\n"
    late = found(scheduled(both, clause), [decision("1h")], now="200d")
    assert [(v.contract, v.clause) for v in late] == [("schedule", "review")]
    (own,) = found(scheduled(RUNBOOK, clause), [decision("1h")], now="301d")
    assert "owner@example.org has not reviewed its runbook" in own.summary


def test_other_points_say_how_often() -> None:
    every = contract("scorer", "- {id: who-may, kind: review, of: permissions, every: 30d, by: owner@example.org}")
    assert found(every, [decision("1h"), review("20d", subject="permissions", **OWNERS)], now="49d") == []
    assert len(found(every, [decision("1h"), review("20d", subject="review", **OWNERS)], now="49d")) == 1
    with pytest.raises(SeamwatchError, match="say how often the permissions is reviewed"):
        found(every.replace("every: 30d, ", ""), [])
