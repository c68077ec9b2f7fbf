"""Benchmark: values within the bounds, measured as often as agreed."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.durations import DAY, HOUR
from seamwatch.errors import SeamwatchError
from tests.clauses.history import at, brief, contract, decision, found
from tests.clauses.test_state import Live

AUC = contract("scorer", "- {id: good, kind: benchmark, metric: auc, min: 0.8, max: 0.99, every: 30d}")
VALUES = contract("scorer", "- {id: good, kind: benchmark, metric: auc, min: 0.8}")


def measured(offset: str, value: float | None, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": "example#good",
        "kind": "benchmark", "metric": "auc", "value": value, "person": "owner@example.org",
        "event_id": f"b{offset}", **fields,
    }  # fmt: skip


def test_a_value_outside_is_a_breach_until_one_is_within() -> None:
    events = [measured("1h", 0.8), measured("2h", 0.79), measured("3h", 0.7), measured("4h", 0.85)]
    violations = found(AUC, events)
    assert brief(violations) == [("auc", "breach", "resolved", 2 * HOUR)]
    assert (violations[0].observed, violations[0].limit, violations[0].resolved_at) == (0.79, 0.8, at("4h"))
    assert [e.event_id for e in violations[0].evidence] == ["b2h", "b3h"]


def test_silence_is_a_breach_from_the_first_event_or_the_last_measurement() -> None:
    never = found(AUC, [decision("1h"), decision("9d")], now="31d")
    assert brief(never) == [("auc", "breach", "open", 30 * DAY + HOUR)]
    violations = found(AUC, [decision("1h"), measured("20d", 0.9), measured("60d", 0.9)], now="89d")
    assert brief(violations) == [("auc", "breach", "resolved", 50 * DAY)]
    assert violations[0].resolved_at == at("60d")
    assert found(VALUES, [decision("1h")], now="400d") == []


def test_a_bad_value_and_silence_are_two_episodes() -> None:
    violations = found(AUC, [measured("1h", 0.5)], now="31d")
    assert brief(violations) == [("auc", "breach", "open", HOUR), ("auc", "breach", "open", 30 * DAY + HOUR)]


@pytest.mark.parametrize(
    "other",
    [
        {"metric": "f1"}, {"kind": "review"}, {"subject": "other#good"}, {"person": "stranger@example.org"},
        {"value": None}, {"subject": "benchmark", "metric": None},
    ],
)  # fmt: skip
def test_other_metrics_subjects_and_strangers_have_no_effect(other: dict[str, Any]) -> None:
    assert found(VALUES, [measured("1h", 0.1) | other]) == []


def test_the_handoff_point_or_the_clause_alone_say_what_is_measured() -> None:
    for subject in ({"subject": "benchmark"}, {"metric": None}):
        assert len(found(VALUES, [measured("1h", 0.1) | subject])) == 1


def test_whom_the_clause_names_measures_and_nobody_else() -> None:
    text = contract("scorer", "- {id: good, kind: benchmark, metric: auc, min: 0.8, by: [second@example.org]}")
    assert found(text, [measured("1h", 0.1)]) == []
    assert len(found(text, [measured("1h", 0.1, person="second@example.org")])) == 1


def test_a_metric_that_is_spelt_otherwise_is_told_until_one_counts() -> None:
    events = [measured("1h", 0.1, metric="AUC "), measured("2h", 0.1, metric="recall"), measured("3h", 0.9)]
    (told,) = found(VALUES, events)
    assert brief([told]) == [("auc", "warning", "resolved", HOUR)]
    assert told.resolved_at == at("3h")
    assert "is of metric 'AUC ', which differs from the agreed 'auc' by blanks or capitals" in told.summary
    nobodys = measured("1h", 0.1, metric="AUC", person="nobody@example.org")
    assert found(VALUES, [nobodys]) == [], "it counts for nothing"
    assert found(VALUES, [measured("1h", None, metric="AUC")]) == []


def test_who_measures_is_reminded_once_before_the_clock_runs_out() -> None:
    live = Live(AUC)
    events = [decision("1h"), measured("20d", 0.9)]
    for day in range(60):
        begin, end = at() + day * DAY, at() + (day + 1) * DAY
        live.flush([event for event in events if begin <= event["event_time"] < end], end)
    told = [(n.person, (n.detected_at - at()) // DAY, n.due_at) for n in live.notices]
    assert told == [("owner@example.org", 47, at("50d")), ("second@example.org", 47, at("50d"))]
    named = Live(AUC.replace("every: 30d", "every: 30d, by: second@example.org"))
    for day in range(29):
        named.flush([decision("1h")] if day == 0 else [], at(f"{day + 1}d"))
    assert [n.person for n in named.notices] == ["second@example.org"]


def test_where_each_must_measure_silence_names_who_is_missing() -> None:
    both = AUC.replace("every: 30d", "every: 30d, by: [owner@example.org, second@example.org], by_all: true")
    one, other = measured("10d", 0.9), measured("20d", 0.9, person="second@example.org", event_id="s")
    (late,) = found(both, [decision("1h"), one], now="31d")
    assert brief([late]) == [("auc", "breach", "open", 30 * DAY + HOUR)]
    assert late.summary.endswith(
        "second@example.org has not measured benchmark auc since 2026-03-02 01:00:00 UTC; agreed every 30 d; "
        "owner@example.org has"
    )
    assert late.person == "second@example.org"
    assert found(both, [decision("1h"), one, other], now="49d") == []
    (silent,) = found(both, [decision("1h"), one, other], now="51d")
    assert silent.opened_at == at("50d")
    anybody = both.replace(", by_all: true", "")
    assert found(anybody, [decision("1h"), one], now="39d") == []
    for lacking in ("by: [owner@example.org, second@example.org], ", "every: 30d, "):
        with pytest.raises(SeamwatchError, match="give both"):
            found(both.replace(lacking, ""), [])
