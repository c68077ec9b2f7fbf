"""Calibration: hand-computed errors, cohorts, versions, what an outcome leaves to its decision, small samples."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from seamwatch.clauses import kinds
from seamwatch.durations import HOUR, MINUTE
from seamwatch.judging.model.facts import Violation
from tests.clauses.history import at, brief, contract, decision, found
from tests.clauses.test_state import Live
from tests.clauses.worked import worked_example

SYSTEM = """
kind: System
id: scorer
type: model
owner: owner@example.org
approvers: [owner@example.org]
versions:
  - {version: v1, approvals: [{id: A1, use_case: credit, approved_by: owner@example.org, approved_at: "2026-03-01"}]}
  - {version: v/2, approvals: [{id: A2, use_case: credit, approved_by: owner@example.org, approved_at: "2026-03-12"}]}
---
"""


def clause(text: str) -> str:
    return contract("scorer", f"- {{id: means, kind: calibration, {text}}}")


def moment(minute: float) -> int:
    return at() + round(minute * MINUTE)


def outcome(number: int, minute: float, score: float | None, label: float, **fields: Any) -> dict[str, Any]:
    return {
        "type": "outcome", "event_time": moment(minute), "event_id": f"o{number:05}", "system": "scorer",
        "label": label,
        "inference_id": f"i{number:05}", "score": score, "observed_at": at(), **fields,
    }  # fmt: skip


def minutes(score: float, right: int, of: int, start: int = 0, **fields: Any) -> list[dict[str, Any]]:
    """Outcomes a minute apart, all with one score: the first ``right`` of them true."""
    return [
        outcome(start + n, start + n, score, 1.0 if n < right else 0.0, **fields) for n in range(of)
    ]  # fmt: skip


def told(violations: list[Violation]) -> list[tuple[str | None, str, float]]:
    return [(v.slice, v.state, round(v.observed or 0.0, 6)) for v in violations]


def test_the_error_is_the_distance_of_each_bin_weighted_by_its_outcomes() -> None:
    # 4 at 0.9 of which 3 came true (0.15 off), 6 at 0.2 of which 3 did (0.30 off): 0.4 · 0.15 + 0.6 · 0.30 = 0.24.
    events = [*minutes(0.9, 3, 4), *minutes(0.2, 3, 6, start=4)]
    assert found(clause("max_error: 0.24, min_outcomes: 10"), events) == []
    (violation,) = found(clause("max_error: 0.23, min_outcomes: 10"), events)
    assert told([violation]) == [(None, "open", 0.24)]
    assert (violation.limit, violation.unit, violation.kind) == (0.23, "probability", "calibration")
    assert violation.opened_at == at("9m")  # the tenth outcome
    assert violation.since == at()
    assert "worst between 0.2 and 0.3: said 0.20, happened 0.50, 6 outcomes" in violation.summary
    assert "off by 24 % (95 % sure: " in violation.summary
    assert "over 10 outcomes since 2026-03-02 00:00:00 UTC; agreed at most 23 %" in violation.summary


def test_scores_within_a_bin_are_taken_together_and_the_edge_belongs_to_the_upper() -> None:
    # Bins of a half: 0.4 and 0.0 say 0.2 on average and half came true (0.3 off); 0.5 is in the upper bin (0.5 off).
    events = [outcome(1, 1, 0.4, 1), outcome(2, 2, 0.0, 0), outcome(3, 3, 0.5, 1), outcome(4, 4, 0.5, 1)]
    assert told(found(clause("bins: 2, max_error: 0.1, min_outcomes: 4"), events)) == [(None, "open", 0.4)]


def test_a_score_of_another_range_means_its_place_in_it() -> None:
    # Deciles: 7 of 10 means 0.7, and one in four came true. What lies outside the range is not counted.
    events = [*minutes(7.0, 1, 4), outcome(9, 9, 11.0, 1), outcome(10, 10, 7.0, 40)]
    (violation,) = found(clause("range: [0, 10], max_error: 0.1, min_outcomes: 4"), events)
    assert told([violation]) == [(None, "open", 0.45)]
    assert "worst between 7 and 8: said 7.00, happened 0.25" in violation.summary


def test_each_cohort_is_judged_alone_and_all_together() -> None:
    # North is exact, south says 0.5 where all came true; together 20 at 0.5 of which 15 came true.
    north, south = minutes(0.5, 5, 10, cohort="north"), minutes(0.5, 10, 10, start=10, cohort="south")
    text = "max_error: 0.2, min_outcomes: 10"
    assert told(found(clause(text), [*north, *south])) == [(None, "open", 0.25), ("south", "open", 0.5)]
    assert told(found(clause(f"{text}, by: cohort"), [*north, *south])) == [("south", "open", 0.5)]
    assert told(found(clause(f"{text}, by: none"), [*north, *south])) == [(None, "open", 0.25)]
    nobody = minutes(0.5, 10, 10, start=20)
    assert told(found(clause(f"{text}, by: cohort"), [*north, *nobody])) == [(None, "open", 0.5)]


def test_it_opens_with_the_outcome_that_makes_it_true_and_ends_when_it_is_true_no_more() -> None:
    # Eight of eight at 0.5 are off by 0.5; after eight more that are false the share is 0.5 again.
    events = [*minutes(0.5, 8, 8), *minutes(0.5, 0, 8, start=8)]
    (violation,) = found(clause("max_error: 0.3, min_outcomes: 8"), events)
    assert (violation.opened_at, violation.state) == (at("7m"), "resolved")
    # 8 of 10 is 0.3 off, which is within.
    assert violation.resolved_at == at("9m")


def test_too_few_outcomes_are_not_judged() -> None:
    events = minutes(0.1, 9, 9, cohort="north")
    assert found(clause("max_error: 0.05, min_outcomes: 10"), events, now="30d") == []


def test_a_well_calibrated_model_does_not_alarm_where_chance_is_below_what_is_agreed() -> None:
    # 0.3 · √(10 / 500) is 0.045: what is agreed is twice that.
    alarms = 0
    for seed in range(8):
        chance = Random(seed)
        scores = [chance.random() for _ in range(1_200)]
        events = [outcome(n, n / 3, score, float(chance.random() < score)) for n, score in enumerate(scores)]
        alarms += len(found(clause("max_error: 0.09, by: none"), events))
    assert alarms == 0


def test_an_outcome_takes_score_and_cohort_from_a_decision_days_before() -> None:
    decided = [decision(f"{n + 1}m", event_id=f"i{n:05}", score=0.9, cohort="north") for n in range(10)]
    lone = decision("1h", event_id="i00010", score=0.9, cohort=None)
    outcomes = [outcome(n, 9 * 1440 + n, None, 0.0) for n in range(5)]
    outcomes += [outcome(n, 9 * 1440 + n, 0.1 if n == 5 else None, 0.0, cohort="south") for n in range(5, 10)]
    outcomes.append(outcome(10, 9 * 1440 + 10, None, 0.0))
    # North: five at 0.9. South by the outcome's own word: one at its own 0.1, four at 0.9. One without any cohort.
    violations = found(clause("max_error: 0.2, min_outcomes: 1"), [*decided, lone, *outcomes])
    assert {v.slice: round(v.observed or 0, 6) for v in violations} == {
        "north": 0.9, "south": 0.74, None: round((10 * 0.9 + 0.1) / 11, 6),
    }  # fmt: skip


def test_an_outcome_of_no_known_decision_counts_with_what_it_has() -> None:
    unknown = [outcome(n, n, None, 1.0) for n in range(20)]
    other = [{**decision("1m", event_id=f"i{n:05}", score=0.1), "system": "other"} for n in range(20)]
    carried = minutes(0.1, 4, 4, start=30)
    violations = found(clause("max_error: 0.2, min_outcomes: 4"), [*other, *unknown, *carried])
    assert [(v.slice, v.opened_at) for v in violations if v.system == "scorer"] == [(None, at("33m"))]


def test_it_begins_anew_with_the_approval_of_the_next_version() -> None:
    bad, good = minutes(0.9, 0, 10), minutes(0.9, 9, 10, start=12 * 24 * 60)
    violations = found(SYSTEM + clause("max_error: 0.2, min_outcomes: 10"), [*bad, *good])
    assert brief(violations) == [(None, "breach", "resolved", 9 * MINUTE)]
    before = found(SYSTEM + clause("max_error: 0.2, min_outcomes: 10"), bad)
    assert "since version v1 was approved at 2026-03-01 00:00:00 UTC" in before[0].summary
    # No outcome of v1 for seven days when its successor is approved: it is judged no longer.
    assert violations[0].resolved_at == at("10d")


def test_a_looked_up_outcome_counts_for_the_version_that_decided() -> None:
    decided = [decision("1m", event_id=f"i{n:05}", score=0.9, version="v1") for n in range(10)]
    decided += [decision("10d", event_id=f"i{n:05}", score=0.9, version="v/2") for n in range(10, 20)]
    late = [outcome(n, 11 * 1440 + n, None, 0.0 if n < 10 else 1.0, cohort="north") for n in range(20)]
    violations = found(SYSTEM + clause("max_error: 0.2, min_outcomes: 10, by: cohort"), [*decided, *late])
    assert [(v.slice, v.opened_at - at("11d"), v.observed) for v in violations] == [("north", 9 * MINUTE, 0.9)]
    assert "version v1" in violations[0].summary
    # Had they carried their score, all would have counted for the newest: 20 at 0.9, of which half came true.
    carried = [{**event, "score": 0.9} for event in late]
    violations = found(SYSTEM + clause("max_error: 0.2, min_outcomes: 20, by: cohort"), carried)
    assert told(violations) == [("north", "open", 0.4)]
    assert "version v/2" in violations[0].summary


def test_where_selects_outcomes_and_order_does_not_matter() -> None:
    events = minutes(0.9, 0, 20)
    text = clause("max_error: 0.2, min_outcomes: 5, where: attributes.kind = 'loan'")
    assert found(text, events) == []
    loans = [{**event, "attributes": [{"key": "kind", "value": "loan"}]} for event in events]
    shuffled = list(loans)
    Random(5).shuffle(shuffled)
    assert found(text, shuffled) == found(text, loans)
    assert len(found(text, loans)) == 1


def test_the_worked_example_flags_the_cohort_whose_scores_promise_too_much() -> None:
    chance = Random(3)
    events = []
    for number in range(2_400):
        score, cohort = chance.random(), "north" if number % 2 else "south"
        truth = score if cohort == "north" else score * 0.8
        events.append(outcome(number, number / 2, score, float(chance.random() < truth), cohort=cohort))
    text = contract("scorer", worked_example(kinds()["calibration"]))
    violations = found(text, events)
    assert [(v.slice, v.state) for v in violations] == [("south", "open")]
    assert violations[0].opened_at > at() + 16 * HOUR
    assert violations[0].observed == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    "faulty", ["range: [1, 0], max_error: 0.1", "max_error: 0", "bins: 0, max_error: 0.1", "bins: 5"]
)
def test_what_says_nothing_is_refused(faulty: str) -> None:
    with pytest.raises(Exception, match="means"):
        found(clause(faulty), [])


# The newest beside all


def calibrated(of: int, start: int = 0, per_minute: int = 10) -> list[dict[str, Any]]:
    """Outcomes that come true as often as their scores say, by chance."""
    random = Random(7)
    scores = [random.random() for _ in range(of)]
    return [
        outcome(start + n, (start + n) / per_minute, score, float(random.random() < score))
        for n, score in enumerate(scores)
    ]


def wrong(of: int, start: int, per_minute: int = 10) -> list[dict[str, Any]]:
    """Outcomes with a score of 0.9 of which half come true."""
    return [outcome(start + n, (start + n) / per_minute, 0.9, float(n % 2)) for n in range(of)]


TOGETHER = "max_error: 0.1, min_outcomes: 400, by: none"


def test_many_good_outcomes_do_not_hide_the_newest() -> None:
    events = [*calibrated(8_000), *wrong(400, 8_000)]
    assert found(clause(f"{TOGETHER}, recent: none"), events) == [], "over all they are off by little"
    (told_,) = found(clause(TOGETHER), events)
    # Half of the newest 400 are new at the 200th: by then they are off by 20 % at least.
    assert (told_.severity, told_.state, told_.opened_at) == ("breach", "open", moment(819.9))
    assert "over the newest 400 outcomes since 2026-03-02 13:00:00 UTC; agreed at most 10 %; worst " in told_.summary
    assert told_.summary.endswith(" over all 8,200")
    (told_,) = found(clause(TOGETHER), [*events, *calibrated(600, 8_400)])
    assert (told_.state, told_.resolved_at) == ("resolved", moment(879.9)), "the newest 400 are right again"


def test_what_chance_alone_shows_opens_nothing_however_often_it_is_looked_at() -> None:
    assert found(clause(TOGETHER), calibrated(12_000)) == []


def test_one_episode_tells_what_is_off_over_all() -> None:
    violations = found(clause(TOGETHER), wrong(2_000, 0))
    assert len(violations) == 1
    assert "newest" not in violations[0].summary


def test_each_cohort_has_its_newest_and_labels_that_may_mean_anything_open_nothing() -> None:
    text = "max_error: 0.1, min_outcomes: 400"
    bad = [{**event, "cohort": "north"} for event in wrong(400, 8_000)]
    good = [{**event, "cohort": "north" if n % 2 else "south"} for n, event in enumerate(calibrated(8_000))]
    violations = found(clause(text), [*good, *bad])
    assert {(v.slice, "newest" in v.summary) for v in violations} == {(None, True), ("north", True)}
    odd = [outcome(9_000 + n, (8_000 + n / 4) / 10, 0.5, -1.0) for n in range(4_000)]
    assert found(clause(TOGETHER), [*calibrated(8_000), *wrong(400, 8_000), *odd]) == []


def test_live_looks_at_the_same_newest_however_they_are_delivered() -> None:
    events = [*calibrated(3_000), *wrong(300, 3_000), *calibrated(700, 3_300)]
    document = clause(TOGETHER)
    wanted = {(v.violation_id, v.opened_at, v.summary, v.resolved_at) for v in found(document, events)}
    assert len(wanted) == 1
    live = Live(document)
    sizes = Random(3)
    while events:
        some = sizes.randint(1, 900)
        flush, events = events[:some], events[some:]
        live.flush(flush, flush[-1]["event_time"])
    live.flush([], moment(500))
    assert {(v.violation_id, v.opened_at, v.summary, v.resolved_at) for v in live.latest.values()} == wanted
