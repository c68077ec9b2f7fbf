"""Signal: latency by quantile, shares of decisions and outcomes, scores that moved; small samples stay silent."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from seamwatch.durations import HOUR
from tests.clauses.history import at, brief, contract, decision, found


def clause(text: str) -> str:
    return contract("scorer", f"- {{id: sig, kind: signal, {text}}}")


def hour(number: int, count: int, fields: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        decision(f"{number * 3600 + 1 + i}s", event_id=f"e{number}-{i:04}", **fields(i)) for i in range(count)
    ]  # fmt: skip


def outcome(offset: str, score: float | None, label: float) -> dict[str, Any]:
    return {
        "type": "outcome", "event_time": at(offset), "system": "scorer", "inference_id": offset, "score": score,
        "label": label, "observed_at": at(offset), "event_id": f"o{offset}",
    }  # fmt: skip


def test_a_quantile_breaks_its_bound_exactly_when_more_lie_beyond_than_it_leaves() -> None:
    text = clause("signal: latency, quantile: 0.9, max: 800, min_count: 20")
    within = hour(0, 20, lambda i: {"latency_ms": 900.0 if i < 2 else 800.0})
    beyond = hour(1, 20, lambda i: {"latency_ms": 900.0 if i < 3 else 100.0})
    assert found(text, within, now="1h") == []
    violations = found(text, [*within, *beyond, *hour(2, 20, lambda _: {"latency_ms": 1.0})], now="3h")
    assert brief(violations) == [(None, "breach", "resolved", 2 * HOUR)]
    assert violations[0].observed == pytest.approx(900, rel=0.016)
    assert (violations[0].limit, violations[0].unit, violations[0].resolved_at) == (800, "ms", at("3h"))
    assert [e.event_id for e in violations[0].evidence] == ["e1-0000", "e1-0001", "e1-0002"]


def test_decisions_without_a_latency_are_not_counted() -> None:
    text = clause("signal: latency, max: 800, min_count: 10")
    slow = hour(0, 9, lambda _: {"latency_ms": 9_000.0})
    assert found(text, [*slow, *(decision(f"{20 + m}m") for m in range(30))], now="1h") == []
    assert [v.observed for v in found(text, [*slow, decision("30m", latency_ms=9_000.0)], now="1h")] == [9_000]


@pytest.mark.parametrize("signal", ["fallback", "abuse"])
def test_a_share_above_its_bound_is_told_with_its_interval(signal: str) -> None:
    text = clause(f"signal: {signal}, max: 0.1, min_count: 20")
    assert found(text, hour(0, 20, lambda i: {signal: i < 2}), now="1h") == []
    violations = found(text, hour(0, 20, lambda i: {signal: i < 5}), now="1h")
    assert brief(violations) == [(None, "breach", "open", HOUR)]
    assert (violations[0].observed, violations[0].limit) == (0.25, 0.1)
    was = {"abuse": "decisions were abuse", "fallback": "decisions were answered by a fallback"}[signal]
    assert f"scorer: 25 % (95 % sure: 11 % to 47 %) of 20 {was} in the 1 h from" in violations[0].summary
    assert len(violations[0].evidence) == 5


def test_a_small_sample_neither_opens_nor_ends_anything() -> None:
    text = clause("signal: fallback, max: 0.1, min_count: 20")
    assert found(text, hour(0, 19, lambda _: {"fallback": True}), now="1h") == []
    events = [*hour(0, 20, lambda _: {"fallback": True}), *hour(1, 19, lambda _: {})]
    assert brief(found(text, events, now="2h")) == [(None, "breach", "open", HOUR)]


def test_accuracy_is_the_share_of_outcomes_that_bear_out_the_score() -> None:
    text = clause("signal: accuracy, min: 0.75, min_count: 4, window: 1h")
    right, wrong = [outcome(f"{m}m", 0.9, 1) for m in range(1, 4)], [outcome(f"{m}m", 0.9, 0) for m in (10, 11)]
    assert found(text, [*right, wrong[0], outcome("20m", None, 0)], now="1h") == []
    violations = found(text, [*right, *wrong], now="1h")
    assert [(v.observed, v.limit, v.opened_at) for v in violations] == [(0.6, 0.75, at("1h"))]
    assert [e.event_id for e in violations[0].evidence] == ["o10m", "o11m"]
    own = clause("signal: accuracy, min: 0.75, min_count: 4, correct: label = 0")
    assert [v.observed for v in found(own, [*right, *wrong], now="1h")] == [0.4]


def test_accuracy_takes_the_score_of_the_decision_where_the_outcome_has_none() -> None:
    text = clause("signal: accuracy, min: 0.75, min_count: 4, window: 1h")
    decided = [decision("1m", event_id=f"d{n}", score=0.9) for n in range(4)]
    outcomes = [
        {"type": "outcome", "event_time": at("9d") + n, "system": "scorer", "inference_id": f"d{n}",
         "label": 1.0 if n < 2 else 0.0, "observed_at": at()} for n in range(4)
    ]  # fmt: skip
    assert found(text, outcomes, now="9d1h") == []
    (violation,) = found(text, [*outcomes, *decided], now="9d1h")
    assert (violation.observed, violation.opened_at) == (0.5, at("9d1h"))


def test_drift_alarms_on_scores_that_moved_and_not_on_chance_or_few() -> None:
    text = clause("signal: drift, max: 0.1, reference_count: 500")
    random = Random(7)
    stable = [e for n in range(30) for e in hour(n, 60, lambda _: {"score": random.random()})]
    assert found(text, stable, now="30h") == []
    moved = hour(30, 400, lambda _: {"score": random.random() / 3})
    violations = found(text, [*stable, *moved], now="31h")
    assert brief(violations) == [(None, "breach", "open", 31 * HOUR)]
    assert violations[0].observed == pytest.approx(2 / 3, abs=0.1)
    assert found(text, [*stable, *hour(30, 29, lambda _: {"score": 0.1})], now="31h") == []


def of_cohorts(number: int, counts: dict[str | None, int], fields: Callable[[int], dict[str, Any]]) -> list[Any]:
    return [
        {**event, "cohort": cohort, "event_id": f"{cohort}{event['event_id']}"}
        for cohort, count in counts.items()
        for event in hour(number, count, fields)
    ]


@pytest.mark.parametrize("signal", ["fallback", "abuse"])
def test_each_cohort_is_judged_by_itself_and_small_ones_never(signal: str) -> None:
    text = clause(f"signal: {signal}, max: 0.1, min_count: 20, by: cohort")
    bad = of_cohorts(0, {"north": 20, None: 20, "few": 19}, lambda i: {signal: i < 5})
    fine = of_cohorts(0, {"south": 400}, lambda _: {})
    over = of_cohorts(1, {"north": 20}, lambda _: {})
    violations = found(text, [*bad, *fine, *over], now="2h")
    assert sorted(brief(violations), key=str) == [
        ("north", "breach", "resolved", HOUR), (None, "breach", "open", HOUR),
    ]  # fmt: skip
    north = next(v for v in violations if v.slice == "north")
    assert north.summary.startswith("scorer (cohort north): 25 % (95 % sure: 11 % to 47 %) of 20 decisions")
    assert any(v.summary.startswith("scorer (no cohort): ") for v in violations)
    assert found(text.replace(", by: cohort", ""), [*bad, *fine], now="1h") == []


def test_the_quantile_of_a_cohort_lies_between_two_of_its_latencies() -> None:
    # Of 100 values the true median lies between ranks 40 (50 - 9.8, down) and 61 (50 + 9.8, up, and one more).
    text = clause("signal: latency, quantile: 0.5, max: 40, min_count: 20, by: cohort")
    slow = of_cohorts(0, {"north": 100}, lambda i: {"latency_ms": float(i + 1)})
    fast = of_cohorts(0, {"south": 100}, lambda i: {"latency_ms": (i + 1) / 10})
    (violation,) = found(text, [*slow, *fast], now="1h")
    assert violation.slice == "north"
    assert violation.observed == pytest.approx(50, abs=0.625)
    told = re.search(
        r"the slowest 50 % of 100 decisions took 50.* ms or more \(95 % sure: ([\d.]+) to ([\d.]+) ms\) in",
        violation.summary,
    )
    assert told is not None
    assert [float(bound) for bound in told.groups()] == [pytest.approx(40, abs=0.7), pytest.approx(61, abs=0.7)]
    high = clause("signal: latency, quantile: 0.99, max: 40, min_count: 20, by: cohort")
    assert "to no bound)" in found(high, slow, now="1h")[0].summary


def test_accuracy_by_cohort_takes_the_cohort_of_the_decision_in_a_replay() -> None:
    text = clause("signal: accuracy, min: 0.75, min_count: 4, window: 1h, by: cohort")
    cohorts = ["north"] * 4 + ["south"] * 4
    decided = [decision("1m", event_id=f"d{n}", score=0.9, cohort=cohort) for n, cohort in enumerate(cohorts)]
    outcomes = [
        {"type": "outcome", "event_time": at("9d") + n, "system": "scorer", "inference_id": f"d{n}",
         "label": 1.0 if n >= 2 else 0.0, "observed_at": at()} for n in range(8)
    ]  # fmt: skip
    (violation,) = found(text, [*outcomes, *decided], now="9d1h")
    assert (violation.slice, violation.observed) == ("north", 0.5)
    # Wilson's interval of 2 in 4: 0.15 to 0.85.
    assert "scorer (cohort north): 50 % (95 % sure: 15 % to 85 %) of 4 outcomes were right" in violation.summary


def test_drift_of_one_cohort_is_not_hidden_by_another() -> None:
    text = clause("signal: drift, max: 0.2, reference_count: 500, by: cohort")
    random = Random(7)
    stable = [
        e for n in range(5) for e in of_cohorts(n, {"north": 100, "south": 900}, lambda _: {"score": random.random()})
    ]
    moved = of_cohorts(5, {"north": 400}, lambda _: {"score": random.random() / 3})
    still = of_cohorts(5, {"south": 3_000}, lambda _: {"score": random.random()})
    events = [*stable, *moved, *still]
    (violation,) = found(text, events, now="6h")
    assert (violation.slice, violation.opened_at) == ("north", at("6h"))
    told = re.search(r"95 % sure: (\d+) % to (\d+) %; ", violation.summary)
    assert told is not None
    low, high = (int(bound) / 100 for bound in told.groups())
    assert low < 2 / 3 < high
    assert found(text.replace(", by: cohort", ""), events, now="6h") == []


@pytest.mark.parametrize("faulty", ["signal: latency, min: 3", "signal: abuse, max: 5", "signal: abuse", "signal: x"])
def test_bounds_that_say_nothing_are_refused(faulty: str) -> None:
    with pytest.raises(Exception, match="sig"):
        found(clause(faulty), [])
