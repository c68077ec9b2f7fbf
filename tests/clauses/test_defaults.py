"""What holds for a system that no contract covers: it finds what is plainly wrong, and stays silent about the usual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seamwatch.clauses import Clause
from seamwatch.clauses.signal import Signal
from seamwatch.documents import Estate
from seamwatch.documents.defaults import built_in
from seamwatch.documents.template import template
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.engine.seams import Seams
from seamwatch.judging.model.facts import Fact, Violation
from seamwatch.judging.model.judgement import Finding, Moment, Open
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.ladder import members
from tests.clauses.history import T0, at, decision, estate_of, found

DECLARED = """
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
versions: [{version: v1, approvals: [{id: A-1, use_case: credit, approved_by: second@example.org}]}]
---
apiVersion: seamwatch/v1
kind: System
id: features
type: dataset
owner: second@example.org
"""
SEAM = Seam("defaults", built_in().version, "d", "scorer")


def clause(name: str) -> Clause:
    return next(clause for clause in built_in().clauses if clause.id == name)


def decisions(count: int, hour: int = 0, **fields: Any) -> Iterator[dict[str, Any]]:
    """So many decisions within an hour of system `scorer`."""
    for number in range(count):
        yield decision("1s", **fields) | {"event_time": T0 + hour * HOUR + number * HOUR // count}


def outcomes(right: int, wrong: int) -> Iterator[dict[str, Any]]:
    for number in range(right + wrong):
        yield {
            "type": "outcome", "event_time": at("1h") + number * MINUTE, "system": "scorer", "observed_at": at("1h"),
            "inference_id": f"i{number}", "score": 0.9, "label": 1.0 if number < right else 0.0,
        }  # fmt: skip


def refresh(offset: str, system: str = "features") -> dict[str, Any]:
    return {
        "type": "dataset_refresh", "event_time": at(offset), "system": system, "data_as_of": at(offset),
        "row_count": 10,
    }  # fmt: skip


def told(violations: list[Violation]) -> list[tuple[str, str, str, str, str | None]]:
    return [(v.contract, v.clause, v.severity, v.system, v.person) for v in violations]


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("latency", [*decisions(80, latency_ms=200), *decisions(30, latency_ms=31_000)]),
        ("abuse", [*decisions(80), *decisions(30, abuse=True)]),
        ("fallback", [*decisions(70), *decisions(40, fallback=True)]),
        ("accuracy", list(outcomes(70, 140))),
        ("decided-on-fresh-data", [decision("1h", data_as_of=at() - 8 * DAY)]),
    ],
)
def test_each_signal_of_an_uncovered_system_is_watched_and_its_owner_told(
    name: str, events: list[dict[str, Any]]
) -> None:
    violations = found(DECLARED, [*events, decision("3d", version="v1")])
    assert told(violations) == [("defaults", name, "warning", "scorer", "owner@example.org")]


def test_a_data_set_that_is_no_longer_refreshed_is_told_to_its_owner() -> None:
    violations = found(DECLARED, [refresh("1h"), refresh("1d")], now="9d1h")
    assert told(violations) == [("defaults", "data-fresh", "warning", "features", "second@example.org")]
    assert violations[0].opened_at == at("9d")
    assert found(DECLARED, [refresh("1h"), refresh("1d")], now="8d23h") == []


def test_a_data_set_that_nobody_declared_is_unregistered_from_its_first_refresh() -> None:
    violations = found(DECLARED, [refresh("1h", "shadow-feed"), refresh("2h", "shadow-feed")])
    assert [(v.clause, v.severity, v.opened_at, v.summary) for v in violations] == [
        (
            "approval",
            "breach",
            at("1h"),
            "shadow-feed is running unregistered since 2026-03-02 01:00:00 UTC: nobody declared, owns or approved it",
        )
    ]
    assert len(violations[0].evidence) == 2


def test_a_contract_replaces_the_defaults_whatever_it_says() -> None:
    covered = (
        DECLARED
        + "---"
        + (
            "\napiVersion: seamwatch/v1\nkind: Contract\nid: own\nversion: 1\nseam: operations\ncovers: [scorer]\n"
            "parties: {provider: {}, consumer: {}}\nclauses: [{id: sane, kind: range, min: 0, max: 1}]\n"
        )
    )
    events = [*decisions(200, fallback=True, latency_ms=60_000, version="v9"), decision("2h", version="v9")]
    assert {v.clause for v in found(DECLARED, events)} == {"approval", "latency", "fallback"}
    assert found(covered, events) == []
    ours = covered.replace("id: own", "id: defaults").replace("covers: [scorer]", "covers: ['*']")
    assert found(ours, events) == []
    assert {v.contract_version for v in found(ours, [decision("1h", score=2.0)])} == {"1"}


HEALTHY = {"abuse": 0.05, "fallback": 0.1, "latency": 0.02}
"""Shares of a system that is no worse than many: called abuse, answered by a fallback, slower than half a minute."""


@pytest.mark.parametrize("name", sorted(HEALTHY))
@pytest.mark.parametrize("hourly", [100, 2_000])
def test_a_year_of_a_system_that_is_not_at_its_best_raises_one_warning_at_most(name: str, hourly: int) -> None:
    rng = np.random.default_rng(7)
    signal = clause(name)
    assert isinstance(signal, Signal)
    hours = 365 * 24
    bad = rng.binomial(hourly, HEALTHY[name], hours)
    assert len(opened(signal, hourly, bad.tolist(), HOUR)) <= 1


def test_a_model_no_better_than_a_coin_raises_a_warning_a_year_at_most() -> None:
    signal = clause("accuracy")
    wrong = np.random.default_rng(8).binomial(200, 0.5, 3 * 365)
    assert len(opened(signal, 200, wrong.tolist(), DAY)) <= 3
    assert len(opened(signal, 200, [130], DAY)) == 1


def opened(signal: Clause, count: int, breaches: list[int], window: int) -> list[Open]:
    """What opens over windows of so many events each, of which so many offend."""
    state: Any = None
    found: list[Finding] = []
    for number, offending in enumerate(breaches):
        start = T0 + number * window
        fact = Fact(
            "defaults", "1", "d", signal.id, "scorer", None, start, window, count, offending, start, start + 1,
            minimum=1.0, maximum=40_000.0, histogram=(count - offending, *(0,) * 254, offending),
        )  # fmt: skip
        judged = signal.judge(SEAM, state, fact, Moment(start + window, start + window))
        state = judged.state
        found.extend(judged.findings)
    return [finding for finding in found if isinstance(finding, Open)]


def scores(seed: int, days: int, per_hour: int = 60, shift_at: int | None = None) -> Iterator[Fact]:
    """Hours of scores with a daily rhythm and weekends of their own, as the default clause counts them."""
    rng = np.random.default_rng(seed)
    drift = clause("drift")
    measure = drift.measures(SEAM)[0]
    assert measure.histogram is not None
    edges = np.linspace(0, 1, measure.histogram.bins + 1)
    for number in range(days * 24):
        start = T0 + number * HOUR
        weekend = -0.05 if number // 24 % 7 > 4 else 0.0
        moved = 0.25 if shift_at is not None and number >= shift_at * 24 else 0.0
        centre = 0.5 + 0.05 * np.sin(2 * np.pi * number / 24) + weekend + moved
        drawn = np.clip(rng.normal(centre, 0.2, rng.poisson(per_hour)), 0, 1)
        if not len(drawn):
            continue
        counts = tuple(int(n) for n in np.histogram(drawn, edges)[0])
        yield Fact(
            "defaults", "1", "d", "drift", "scorer", None, start, HOUR, len(drawn), 0, start, start + 1,
            histogram=counts,
        )  # fmt: skip


def drifted(facts: Iterator[Fact]) -> list[Open]:
    state: Any = None
    found: list[Finding] = []
    for fact in facts:
        judged = clause("drift").judge(SEAM, state, fact, Moment(fact.window_end, fact.window_end))
        state = judged.state
        found.extend(judged.findings)
    return [finding for finding in found if isinstance(finding, Open)]


@pytest.mark.parametrize("per_hour", [2, 60, 2_000])
def test_scores_with_a_daily_rhythm_and_weekends_are_no_drift(per_hour: int) -> None:
    assert drifted(scores(per_hour, 90, per_hour)) == []


def test_scores_that_have_moved_far_from_the_systems_own_first_days_are_drift() -> None:
    (found,) = drifted(scores(3, 40, shift_at=30))
    assert T0 + 30 * DAY < found.opened_at <= T0 + 31 * DAY
    assert drifted(scores(3, 13, shift_at=7)) == [], "the first days are the reference, not judged"


def test_a_reference_of_first_scores_goes_on_until_there_are_enough() -> None:
    few = [replace(fact, count=2, histogram=(2, *(0,) * 9)) for fact in scores(4, 30)]
    moved = [replace(f, window_start=f.window_start + 30 * DAY, histogram=(*(0,) * 9, 2)) for f in few[:200]]
    (found,) = drifted(iter([*few, *moved]))
    assert found.opened_at > T0 + 30 * DAY
    assert drifted(iter([*few[: 14 * 24], *moved[:100]])) == [], "1,000 scores are not there yet"


def test_the_owner_of_the_document_is_told_and_without_one_whom_the_settings_name() -> None:
    seams = Seams(estate_of(DECLARED), default_owner="platform@example.org")
    version = built_in().version
    told = {system: seams.bound("defaults", version, "latency", system) for system in ("scorer", "shadow")}
    assert {system: bound and members(bound.seam.escalation) for system, bound in told.items()} == {
        "scorer": ("owner@example.org",),
        "shadow": ("platform@example.org",),
    }


def test_the_template_of_the_defaults_is_the_built_in_contract(tmp_path: Path) -> None:
    (tmp_path / "defaults.yaml").write_text(template("defaults").replace(built_in().version, "mine"), "utf-8")
    (ours,) = Estate.load(tmp_path).contracts
    assert (ours.id, ours.version, ours.clauses) == ("defaults", "mine", built_in().clauses)


def test_a_system_that_is_spelt_otherwise_than_a_declared_one_is_told_so() -> None:
    declared = """
apiVersion: seamwatch/v1
kind: System
id: scorer
type: model
owner: owner@example.org
"""
    for spelt in ("Scorer", "scorer "):
        violations = found(declared, [decision("1h", system=spelt)])
        (told,) = [v for v in violations if v.system == spelt and "unregistered" in v.summary]
        assert told.summary.endswith("; it differs from the declared 'scorer' by blanks or capitals")
