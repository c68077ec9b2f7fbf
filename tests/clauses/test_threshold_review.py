"""A shift of the scores asks the named reviewer to look at the threshold again, and silence about that is told."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.errors import DocumentError
from seamwatch.judging.model.facts import Violation
from seamwatch.remedies import remedy_command
from tests.clauses.history import at, contract, decision, estate_of, found
from tests.clauses.test_state import Live

SAYS = (
    "- {id: scores, kind: distribution, reference: {first: 2h}, floor: 0.05, daily_cycle: none, "
    "reviewer: second@example.org, review_within: 4h%s}"
)
ASKS = contract("scorer", SAYS % "")


def scores(begin: int, until: int, low: float, high: float, **fields: Any) -> list[dict[str, Any]]:
    """Ten decisions a minute, from one minute to another, with scores between two."""
    random = Random(begin)
    return [
        decision("1s", event_time=at() + minute * MINUTE + n * 6 * SECOND, score=random.uniform(low, high), **fields)
        for minute in range(begin, until)
        for n in range(10)
    ]


def review(minute: float, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at() + round(minute * MINUTE), "system": "scorer", "kind": "review",
        "subject": "example#scores", "person": "second@example.org", "event_id": f"a{minute}", **fields,
    }  # fmt: skip


SHIFTED = [*scores(0, 125, 0, 1), *scores(125, 150, 0.6, 1), *scores(500, 501, 0, 1)]


def split(violations: list[Violation]) -> tuple[list[Violation], list[Violation]]:
    """The shifts, and the reviews that are overdue."""
    return [v for v in violations if v.unit == "share"], [v for v in violations if v.unit == "s"]


def test_a_shift_names_who_reviews_and_a_review_that_does_not_come_is_a_breach() -> None:
    (shift,), (late,) = split(found(ASKS, SHIFTED))
    assert shift.summary.endswith("; second@example.org reviews the threshold")
    assert shift.person == "owner@example.org", "who must act on the shift is agreed elsewhere"
    assert (late.severity, late.state, late.person) == ("breach", "open", "second@example.org")
    assert (late.since, late.opened_at) == (shift.opened_at, shift.opened_at + 4 * HOUR)
    assert (late.observed, late.limit) == (4 * 3600, 4 * 3600)
    assert late.summary.startswith("scorer: second@example.org has not reviewed the threshold since its scores shifted")
    assert remedy_command(late, late.person) == (
        "seamwatch attest review 'example#scores' --system scorer --as second@example.org"
    )
    assert remedy_command(shift, shift.person) is None


def test_a_review_in_time_ends_the_clock_and_a_late_one_the_breach() -> None:
    assert split(found(ASKS, [*SHIFTED, review(200)]))[1] == []
    (late,) = split(found(ASKS, [*SHIFTED, review(450)]))[1]
    assert (late.state, late.resolved_at) == ("resolved", at() + 450 * MINUTE)
    assert late.summary == "scorer: second@example.org reviewed the threshold at 2026-03-02 07:30:00 UTC"


@pytest.mark.parametrize(
    "other",
    [
        {"person": "owner@example.org"}, {"kind": "coverage"}, {"subject": "other#scores"},
        {"event_time": at() + 60 * MINUTE},
    ],
)  # fmt: skip
def test_what_is_no_review_of_this_shift_by_the_reviewer_changes_nothing(other: dict[str, Any]) -> None:
    (late,) = split(found(ASKS, [*SHIFTED, review(200, **other)]))[1]
    assert late.state == "open"


def test_one_review_serves_every_cohort() -> None:
    document = contract("scorer", SAYS % ", by: cohort")
    events = [event | {"cohort": name} for name in ("north", "south") for event in SHIFTED]
    shifts, late = split(found(document, events))
    assert {v.slice for v in shifts} == {v.slice for v in late} == {"north", "south"}
    shifts, late = split(found(document, [*events, review(200)]))
    assert (len(shifts), late) == (2, [])
    _, late = split(found(document, [*events, review(450)]))
    assert [v.state for v in late] == ["resolved", "resolved"]


def live_of(document: str, events: list[dict[str, Any]], until: int) -> Live:
    live = Live(document)
    for minute in range(0, until, 5):
        begin, end = at() + minute * MINUTE, at() + (minute + 5) * MINUTE
        live.flush([event for event in events if begin <= event["event_time"] < end], end)
    return live


def test_live_the_reviewer_is_told_at_once_and_reminded_once_and_finds_what_a_replay_finds() -> None:
    live = live_of(ASKS, SHIFTED, 505)
    (shift,), (late,) = split(list(live.latest.values()))
    due = shift.opened_at + 4 * HOUR
    assert [(n.type, n.person, n.due_at) for n in live.notices] == [("reminder", "second@example.org", due)] * 2
    assert all("a review of the threshold (example#scores) is due by " in n.summary for n in live.notices)
    told, reminded = (n.detected_at for n in live.notices)
    assert told < due - 4 * HOUR + 10 * MINUTE
    assert due - 24 * MINUTE <= reminded < due - 24 * MINUTE + 6 * MINUTE, "a tenth of four hours before"
    wanted = {(v.violation_id, v.opened_at, v.summary) for v in found(ASKS, SHIFTED)}
    assert {(v.violation_id, v.opened_at, v.summary) for v in (shift, late)} == wanted


def test_live_a_review_of_cohorts_is_told_to_each_over_restarts() -> None:
    document = contract("scorer", SAYS % ", by: cohort")
    events = [event | {"cohort": name} for name in ("north", "south") for event in SHIFTED]
    live = live_of(document, [*events, review(200)], 505)
    assert [v.unit for v in live.latest.values()] == ["share", "share"]
    assert len(live.notices) == 2, "both were told of their shift, and neither was reminded"


def test_a_clock_needs_a_reviewer_who_is_a_person() -> None:
    with pytest.raises(DocumentError, match="review_within needs a reviewer"):
        estate_of(ASKS.replace("reviewer: second@example.org, ", ""))
    with pytest.raises(DocumentError, match="unknown person"):
        estate_of(ASKS.replace("reviewer: second", "reviewer: stranger"))
