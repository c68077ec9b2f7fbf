"""Review: the clock runs from the document, the first event or the last review, and runs out in silence."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.durations import DAY, HOUR
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
