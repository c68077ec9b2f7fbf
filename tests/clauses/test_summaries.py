"""Summaries: also of silence, whose receipt is on record, and what nobody confirms goes to the next person."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.clauses import summaries
from seamwatch.durations import DAY, HOUR
from seamwatch.judging.model.identity import identity
from seamwatch.signatures import acknowledgement_bytes, sign
from tests.clauses.history import at, call, contract, decision, found, record_of
from tests.clauses.test_state import Live, _seen

OWNER, ROSA = "owner@example.org", "rosa@example.org"
KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
PUBLIC = b64encode(KEY.public_key().public_bytes_raw()).decode()
PERSON = f'---\nkind: Person\nid: {ROSA}\nname: Rosa\nkeys: [{{key_id: k1, public: "{PUBLIC}"}}]\n'
SUMMARY = "summary: {every: 1d, to: rosa@example.org, receipt_within: 6h}"
ASSERTED = contract("scorer", f"- {{id: held, kind: assertion, must: score > 0, {SUMMARY}}}") + PERSON
ESCALATED = contract("agent", f"- {{id: held, kind: escalation, when: confidence < 0.5, {SUMMARY}}}") + PERSON
KINDS = [(ASSERTED, "scorer"), (ESCALATED, "agent")]


def event(system: str, offset: str) -> dict[str, Any]:
    return decision(offset, score=0.5) if system == "scorer" else call(offset, "x", confidence=0.9)


def notice_id(system: str, day: int) -> str:
    return identity("example", "held", system, "summary", None, str(at() + day * DAY))


def receipt(system: str, offset: str, day: int, person: str = ROSA, **fields: Any) -> dict[str, Any]:
    said = {
        "type": "acknowledgement", "event_time": at(offset), "system": system, "of": "summary", "person": person,
        "reference": notice_id(system, day), "answer": "accept", "note": None, **fields,
    }  # fmt: skip
    signature = sign(acknowledgement_bytes(record_of(said)[1]), KEY.private_bytes_raw())
    return {**said, "key_id": "k1", "signature": b64encode(signature).decode()}


def lived(documents: str, events: list[dict[str, Any]], until: str, step: int = 30 * HOUR // 60) -> Live:
    live, ordered = Live(documents), sorted(events, key=lambda each: each["event_time"])
    for start in range(at(), at(until), step):
        live.flush([e for e in ordered if start <= e["event_time"] < start + step], start + step)
    return live


@pytest.mark.parametrize(("documents", "system"), KINDS, ids=["assertion", "escalation"])
def test_a_period_in_which_nothing_was_seen_is_summed_up_too(documents: str, system: str) -> None:
    live = lived(documents, [event(system, "1h"), event(system, "2d5h")], "4d", 6 * HOUR)
    assert [(notice.person, notice.due_at) for notice in live.notices] == [(ROSA, at(f"{n}d")) for n in (1, 2, 3, 4)]
    silent = ["nothing was seen" in notice.summary for notice in live.notices]
    assert silent == [False, True, False, True]
    assert [notice.notice_id for notice in live.notices] == [notice_id(system, day) for day in range(4)]
    assert lived(documents, [], "3d", 6 * HOUR).notices == [], "a system that was never heard of has no summary"


@pytest.mark.parametrize(("documents", "system"), KINDS, ids=["assertion", "escalation"])
def test_what_is_not_confirmed_in_time_goes_to_the_next_person_until_it_is(documents: str, system: str) -> None:
    events = [event(system, "1h"), event(system, "1d2h")]
    (overdue,) = found(documents, events, now="2d12h")
    assert (overdue.opened_at, overdue.state, overdue.person) == (at("1d6h"), "open", OWNER)
    assert f"{ROSA} has not confirmed the summary of 'held' from 2026-03-02 00:00:00 UTC on within 6 h" in (
        overdue.summary
    )
    in_time = [receipt(system, "1d3h", 0), receipt(system, "2d1h", 1)]
    assert found(documents, [*events, *in_time], now="2d12h") == []
    late = [receipt(system, "1d9h", 0), receipt(system, "2d1h", 1)]
    (resolved,) = found(documents, [*events, *late], now="2d12h")
    assert (resolved.state, resolved.resolved_at) == ("resolved", at("1d9h"))
    # The receipt of a later one is that of those before it; the first one of those that are overdue names the breach.
    (covered,) = found(documents, [*events, receipt(system, "2d9h", 1)], now="2d12h")
    assert (covered.violation_id, covered.resolved_at) == (overdue.violation_id, at("2d9h"))
    (still,) = found(documents, [*events, receipt(system, "2d9h", 0)], now="2d12h")
    assert still.state == "open"


@pytest.mark.parametrize(("documents", "system"), KINDS, ids=["assertion", "escalation"])
@pytest.mark.parametrize("hours", [1, 7, 60])
def test_live_finds_the_same_however_it_is_cut(documents: str, system: str, hours: int) -> None:
    events = [
        event(system, "1h"), event(system, "1d2h"), receipt(system, "1d9h", 0), receipt(system, "2d1h", 1),
        event(system, "2d22h"), receipt(system, "4d", 2),
    ]  # fmt: skip
    live = lived(documents, events, "6d", hours * HOUR)
    last = at() + -(-6 * 24 // hours) * hours * HOUR
    replayed = found(documents, events, now=f"{(last - at()) // HOUR}h")
    assert len(replayed) == 3
    assert [row[:5] for row in live.told() if row[3] == "resolved"] == sorted(
        _seen(violation)[:5] for violation in replayed if violation.state == "resolved"
    )
    assert {row[1] for row in live.told()} == {violation.violation_id for violation in replayed}


@pytest.mark.parametrize(("documents", "system"), KINDS, ids=["assertion", "escalation"])
def test_only_a_signed_receipt_by_whom_it_was_sent_to_counts(documents: str, system: str) -> None:
    events = [event(system, "1h")]
    for void in (
        {**receipt(system, "1d1h", 0), "signature": None},
        receipt(system, "1d1h", 0, person=OWNER),
        receipt(system, "1d1h", 7),
        receipt(system, "1d1h", 0, of="violation"),
    ):
        assert len(found(documents, [*events, void], now="1d12h")) == 1


def test_silence_is_told_a_thousand_times_and_then_with_the_next_event() -> None:
    documents = ASSERTED.replace("every: 1d", "every: 1m")
    live = Live(documents)
    live.flush([event("scorer", "1s")], at("2s"))
    live.flush([], at("3d"))
    assert len(live.notices) == summaries.MOST_SILENT + 1
    assert "the next summary comes with the next event" in live.notices[-1].summary
    assert "next event" not in live.notices[-2].summary
    live.flush([event("scorer", "3d")], at("3d30s"))
    live.flush([], at("3d90s"))
    assert live.notices[-1].due_at == at("3d1m")
    assert "1 of 1 events" in live.notices[-1].summary
    assert max(live.sizes) < 10_000


def test_a_summary_tells_how_it_held_in_the_periods_before() -> None:
    events = [decision(f"{day}d{n + 1}h", score=0.5 if n < day else -1.0) for day in range(1, 10) for n in range(10)]
    live = lived(ASSERTED, [event("scorer", "1h"), *events], "11d", 6 * HOUR)
    told = [notice.summary for notice in live.notices]
    assert "before that" not in told[0]
    assert told[1].endswith("2026-03-04 00:00:00 UTC; before that 100 %")
    assert "1 of 10 events (10 %)" in told[1]
    assert told[9].endswith("; before that 80 %, 70 %, 60 %, 50 %, 40 %, 30 %, 20 %")
    assert "nothing was seen" in told[10]


def test_a_summary_tells_of_how_many_events_it_could_not_be_told() -> None:
    events = [decision(f"{n + 1}h", score=score) for n, score in enumerate((0.5, -1.0, None, None, 0.7))]
    (told, *_) = lived(ASSERTED, events, "2d", 6 * HOUR).notices
    assert "held for 2 of 5 events (40 %)" in told.summary
    assert told.summary.endswith("; of 2 of them it cannot be told, they do not give what it asks for")
