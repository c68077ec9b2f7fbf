"""Completeness: what was filled and is missing now is found, by field; what was always missing at times is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seamwatch.clauses.completeness import Completeness, CompletenessState
from seamwatch.documents.defaults import built_in
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.errors import SeamwatchError
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Moment, Open, Resolve, TimePassed
from seamwatch.judging.model.merging import merge_facts
from seamwatch.judging.model.seam import Seam
from tests.clauses.history import T0, at, call, contract, decision, found

SEAM = Seam("c", "1", "d", "scorer")
FIELDS = ("score", "confidence", "decision", "latency_ms", "cohort")
BY_DEFAULT = next(clause for clause in built_in().clauses if clause.id == "complete")


def clause(**says: Any) -> Completeness:
    return Completeness.model_validate({"id": "filled", "kind": "completeness", **says})


def window(index: int, count: int, *missing: int, width: int = 5 * MINUTE) -> Fact:
    start = T0 + index * width
    return Fact("c", "1", "d", "filled", "scorer", None, start, width, count, 0, start, start + 1, missing=missing)


def drive(of: Any, facts: Iterator[Fact]) -> list[Finding]:
    state: CompletenessState | None = None
    findings: list[Finding] = []
    for fact in facts:
        judged = of.judge(SEAM, state, fact, Moment(fact.window_end, fact.window_end))
        state = judged.state
        findings += judged.findings
    return findings


def stream(seed: int, days: int, n: int, share: Any, broken_at: int = 10**9, mended_at: int = 10**9) -> Iterator[Fact]:
    """Windows of ``n`` decisions on average, of which ``share(index)`` lack the one field that is looked at."""
    rng = np.random.default_rng(seed)
    for index in range(days * 288):
        count = int(rng.poisson(n))
        missing = rng.binomial(count, 0.9 if broken_at <= index < mended_at else share(index, rng))
        if count:
            yield window(index, count, int(missing))


ONE = clause(fields=["cohort"], floor=0.15, alpha=0.001, lifetime="90d")
USUAL: Mapping[str, Any] = {
    "never": lambda _index, _rng: 0.0,
    "now and then": lambda _index, _rng: 0.05,
    "mostly": lambda _index, _rng: 0.8,
    "every night": lambda index, _rng: 0.9 if index % 288 < 72 else 0.02,
    "in bursts": lambda _index, rng: min(1.0, rng.gamma(0.3, 0.2)),
    "more on weekends": lambda index, _rng: 0.15 if index // 288 % 7 > 4 else 0.05,
}


@pytest.mark.parametrize("usual", USUAL)
@pytest.mark.parametrize("n", [1, 5, 200])
def test_what_is_usual_raises_no_alarm_in_ninety_days(usual: str, n: int) -> None:
    assert drive(ONE, stream(n, 90, n, USUAL[usual])) == []


@pytest.mark.parametrize(("n", "within"), [(1, 48), (5, 9), (200, 6)])
@pytest.mark.parametrize("usual", ["never", "now and then"])
def test_what_vanishes_is_found(usual: str, n: int, within: int) -> None:
    """One event in five minutes, one a minute, forty a minute; the delay is in windows."""
    (opened,) = drive(ONE, stream(1, 4, n, USUAL[usual], broken_at=2 * 288 + 100))
    assert isinstance(opened, Open)
    assert opened.slice == "cohort"
    began = T0 + (2 * 288 + 100) * 5 * MINUTE
    assert began < opened.opened_at <= began + within * 5 * MINUTE
    assert opened.since is not None
    assert abs(opened.since - began) <= 15 * MINUTE
    assert opened.observed is not None
    assert opened.observed > 0.6


def test_no_more_than_in_the_worst_hours_of_the_day_is_no_finding() -> None:
    """By design: what is missing every night is told by day only when it is more than that; the page says so."""
    by_day = (window(index, 20, 18 if index % 288 < 72 or index >= 3 * 288 + 150 else 0) for index in range(4 * 288))
    assert drive(ONE, by_day) == []


def test_it_is_over_when_the_field_is_filled_again_and_less_missing_than_ever_is_no_finding() -> None:
    findings = drive(ONE, stream(2, 5, 20, USUAL["now and then"], broken_at=600, mended_at=700))
    assert [type(finding) for finding in findings] == [Open, Resolve]
    assert isinstance(findings[1], Resolve)
    assert T0 + 700 * 5 * MINUTE < findings[1].at <= T0 + 740 * 5 * MINUTE
    better = stream(3, 5, 20, lambda index, _rng: 0.6 if index < 400 else 0.0)
    assert drive(ONE, better) == []


def test_nothing_is_judged_before_there_are_enough_events() -> None:
    few = [window(index, 1, 0) for index in range(0, 200 * 12, 12)]
    gone = [window(index, 1, 1) for index in range(200 * 12, 260 * 12, 12)]
    assert drive(ONE, iter([*few, *gone])) == [], "260 events"


def test_of_a_period_only_what_comes_after_it_is_judged() -> None:
    period = {"period": {"from": format_instant(T0), "to": format_instant(T0 + DAY)}}
    of = clause(fields=["cohort"], reference=period)
    early, late = (stream(4, 2, 20, USUAL["never"], broken_at=at_) for at_ in (200, 300))
    (opened,) = drive(of, late)
    assert isinstance(opened, Open)
    assert opened.opened_at < T0 + DAY + 2 * HOUR
    assert "of 5," in opened.summary
    assert drive(of, iter(list(early)[:288])) == []


def test_each_field_is_an_episode_of_its_own() -> None:
    events = [
        decision("1s", event_time=at() + minute * MINUTE, score=0.5 if minute < 1_500 else None, confidence=0.9,
                 decision="yes", latency_ms=20 if minute < 1_600 else None, cohort=None)
        for minute in range(2_000)
    ]  # fmt: skip
    violations = found(contract("scorer", "- {id: filled, kind: completeness}"), events)
    assert [(v.slice, v.severity, v.state) for v in violations] == [
        ("score", "breach", "open"), ("latency_ms", "breach", "open")
    ]  # fmt: skip
    assert violations[0].summary.startswith(
        "scorer: score was missing in 0 % of 1,440 decisions (2026-03-02 00:00:00 UTC to 2026-03-03 00:00:00 UTC) "
        "and is now in 100 % ("
    )
    assert violations[0].since == at("25h")
    assert violations[0].opened_at <= at("25h30m")


def test_arguments_and_attributes_may_be_looked_at() -> None:
    says = "- {id: filled, kind: completeness, on: tool_call, fields: [arguments.user, attributes.tenant, trace_id]}"
    events = [
        call("1s", "find", "t1" if minute < 1_500 else None, event_time=at() + minute * MINUTE,
             arguments='{"user": "u"}' if minute < 1_500 else "{}",
             attributes={"tenant": "x"} if minute < 1_500 else {})
        for minute in range(1_600)
    ]  # fmt: skip
    violations = found(contract("agent", says), events)
    assert {v.slice for v in violations} == {"arguments.user", "attributes.tenant", "trace_id"}
    assert all("of 1,440 calls" in v.summary for v in violations)


@pytest.mark.parametrize(
    "says",
    ["fields: [scores]", "on: tool_call, fields: [score]", "fields: [score, score]", "lifetime: 10m",
     "reference: {first: 1d, period: {from: 2026-01-01, to: 2026-01-02}}", "reference: {}", "floor: 0"],
)  # fmt: skip
def test_senseless_parameters_are_refused(says: str) -> None:
    with pytest.raises(SeamwatchError):
        found(contract("scorer", f"- {{id: filled, kind: completeness, {says}}}"), [])


def test_how_windows_are_split_into_facts_changes_nothing() -> None:
    whole = list(stream(5, 3, 20, USUAL["now and then"], broken_at=500))
    rng = np.random.default_rng(0)
    state: CompletenessState | None = None
    findings: list[Finding] = []
    for fact in whole:
        count, missing = int(rng.integers(0, fact.count + 1)), int(rng.integers(0, fact.missing[0] + 1))
        parts = [replace(fact, count=count, missing=(missing,)),
                 replace(fact, count=fact.count - count, missing=(fact.missing[0] - missing,))]  # fmt: skip
        assert merge_facts(*parts) == fact
        for part in parts:
            judged = ONE.judge(SEAM, state, part, Moment(fact.window_end, fact.window_start))
            state, findings = judged.state, [*findings, *judged.findings]
        judged = ONE.judge(SEAM, state, TimePassed(), Moment(fact.window_end, fact.window_end))
        state, findings = judged.state, [*findings, *judged.findings]
    assert findings == drive(ONE, iter(whole)) != []


def test_where_nothing_is_missing_and_was_not_nothing_is_remembered_but_the_reference() -> None:
    state: CompletenessState | None = None
    for fact in stream(6, 3, 20, USUAL["never"]):
        state = ONE.judge(SEAM, state, fact, Moment(fact.window_end, fact.window_end)).state
    assert state is not None
    assert state.fields[0].watch == type(state.fields[0].watch)()


def test_another_reference_begins_anew_and_what_is_open_stays_open() -> None:
    facts = list(stream(7, 6, 20, USUAL["never"], broken_at=600, mended_at=900))
    state: CompletenessState | None = None
    findings: list[Finding] = []
    other = clause(fields=["cohort"], reference={"first": "2d"})
    for number, fact in enumerate(facts):
        judged = (ONE if number < 700 else other).judge(SEAM, state, fact, Moment(fact.window_end, fact.window_end))
        state, findings = judged.state, [*findings, *judged.findings]
    assert [type(finding) for finding in findings] == [Open, Resolve]


def test_by_default_scores_that_vanish_on_the_third_day_are_told_within_the_hour() -> None:
    """One decision a minute for two days; from the third on nine of ten carry no score. No contract covers it."""
    rng = np.random.default_rng(1)
    events = [
        decision("1s", event_time=at() + minute * MINUTE, decision="approve",
                 score=None if minute >= 2_880 and rng.random() < 0.9 else float(rng.uniform()))
        for minute in range(3 * 1_440)
    ]  # fmt: skip
    documents = """
kind: System
id: scorer
type: model
owner: owner@example.org
versions: [{version: v1, approvals: [{id: A-1, use_case: credit, approved_by: second@example.org}]}]
"""
    (violation,) = found(documents, events)
    assert (violation.clause, violation.slice, violation.severity) == ("complete", "score", "warning")
    assert at("2d") < violation.opened_at <= at("2d1h")
    assert violation.person == "owner@example.org"
