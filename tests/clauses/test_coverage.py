"""Coverage: confirmed in time after each change, or each period."""

from __future__ import annotations

from typing import Any

from seamwatch.durations import DAY, HOUR
from seamwatch.signatures import change_digest
from tests.clauses.history import at, brief, contract, decision, found, record_of
from tests.clauses.test_state import Live

AFTER = contract("scorer", "- {id: cov, kind: coverage, reviewer: second@example.org}")
PERIOD = contract("scorer", "- {id: cov, kind: coverage, reviewer: second@example.org, within: 2d, after: 30d}")


def change(offset: str, number: str) -> dict[str, Any]:
    return {
        "type": "config_change", "event_time": at(offset), "system": "scorer", "change_id": number, "kind": "prompt",
        "effective_at": at(offset), "announced_by": "owner@example.org", "event_id": f"c{offset}",
    }  # fmt: skip


def confirmed(offset: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": "example#cov",
        "kind": "coverage", "person": "second@example.org", "event_id": f"a{offset}", **fields,
    }  # fmt: skip


def test_a_change_that_is_not_confirmed_in_time_is_a_breach_until_it_is() -> None:
    assert found(AFTER, [change("1h", "c1")], now="48h59m") == []
    (violation,) = found(AFTER, [change("1h", "c1")], now="9d")
    assert brief([violation]) == [("c1", "breach", "open", 49 * HOUR)]
    assert (violation.person, violation.limit) == ("second@example.org", 48 * 3600)
    assert [e.event_id for e in violation.evidence] == ["c1h"]
    late = found(AFTER, [change("1h", "c1"), confirmed("60h")], now="9d")
    assert [(v.violation_id, v.resolved_at) for v in late] == [(violation.violation_id, at("60h"))]


def test_one_confirmation_stops_all_running_clocks_and_no_later_one() -> None:
    events = [change("1h", "c1"), change("2h", "c2"), confirmed("3h"), change("4h", "c3")]
    assert brief(found(AFTER, events, now="9d")) == [("c3", "breach", "open", 52 * HOUR)]


def test_a_change_announced_again_with_other_content_is_another_and_a_repeated_one_is_none() -> None:
    first = change("1h", "c1@x")
    repeated = {**first, "event_time": at("5h"), "event_id": "again"}
    other = {**first, "event_time": at("4h"), "event_id": "other", "to_value": "other"}
    assert found(AFTER, [first, confirmed("3h"), repeated], now="9d") == []
    digest = change_digest(record_of(other)[1])[:12]
    assert brief(found(AFTER, [first, confirmed("3h"), other, repeated], now="9d")) == [
        (f"c1@x@{digest}", "breach", "open", 52 * HOUR)
    ]


def test_others_and_other_things_do_not_confirm() -> None:
    for other in ({"person": "owner@example.org"}, {"kind": "review"}, {"subject": "example#other"}):
        assert len(found(AFTER, [change("1h", "c1"), confirmed("2h", **other)], now="9d")) == 1
    assert found(AFTER, [change("1h", "c1"), confirmed("2h", subject="coverage")], now="9d") == []


def test_a_period_runs_from_the_first_event_and_from_each_confirmation() -> None:
    assert brief(found(PERIOD, [decision("1h")], now="40d")) == [(None, "breach", "open", 32 * DAY + HOUR)]
    events = [decision("1h"), confirmed("20d"), confirmed("60d")]
    violations = found(PERIOD, events, now="91d")
    assert [(v.opened_at, v.resolved_at) for v in violations] == [(at("52d"), at("60d"))]


def test_the_reviewer_is_reminded_once_of_each_change_before_its_clock_runs_out() -> None:
    live = Live(AFTER)
    events = [change("1h", "c1"), change("20h", "c2"), confirmed("60h"), change("100h", "c3"), confirmed("110h")]
    for hour in range(160):
        begin, end = at() + hour * HOUR, at() + (hour + 1) * HOUR
        live.flush([event for event in events if begin <= event["event_time"] < end], end)
    told = [(n.type, n.person, n.slice, (n.detected_at - at()) // HOUR, n.due_at) for n in live.notices]
    # 4 h 48 min before the 49th hour; of c2 before the 68th it was confirmed, and of c3 at once.
    assert told == [("reminder", "second@example.org", "c1", 45, at("49h"))]
    assert live.notices[0].summary == (
        "scorer: coverage after change c1 of 2026-03-02 01:00:00 UTC is to be confirmed by 2026-03-04 01:00:00 UTC "
        "(example#cov)"
    )


def test_of_a_period_the_reviewer_is_reminded_too() -> None:
    live = Live(PERIOD)
    for day in range(33):
        live.flush([decision("1h")] if day == 0 else [], at(f"{day + 1}d"))
    assert [(n.person, n.slice, n.due_at) for n in live.notices] == [("second@example.org", None, at("32d1h"))]
