"""Distribution: pinned reference, quiet without a shift, a shift found with its time and cut-off, and recovery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from seamwatch.clauses.distribution import Distribution, DistributionState
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Finding, Judgement, Moment, Open, Resolve, TimePassed
from seamwatch.judging.merging import merge_facts
from seamwatch.judging.seam import Seam

START = parse_instant("2026-03-02")
SEAM = Seam("c", "1", "d", "scorer")
CLAUSE = Distribution.model_validate(
    {
        "id": "shape",
        "kind": "distribution",
        "reference": {"period": {"from": format_instant(START), "to": format_instant(START + 2 * HOUR)}},
    }
)


def window(index: int, scores: np.ndarray) -> Fact:
    counts = np.histogram(np.clip(scores, 0, 1), bins=25, range=(0, 1))[0]
    begin = START + index * MINUTE
    return Fact(
        "c", "1", "d", "shape", "scorer", None, begin, MINUTE, len(scores), 0, begin, begin + 1,
        histogram=tuple(int(n) for n in counts),
    )  # fmt: skip


def stream(seed: int, windows: int, n: int = 100, shift_at: int = 10**9, back_at: int = 10**9) -> Iterator[Fact]:
    rng = np.random.default_rng(seed)
    for index in range(windows):
        moved = 0.5 if shift_at <= index < back_at else 0.0
        yield window(index, 0.5 + 0.15 * (rng.standard_normal(n) + moved))


def drive(facts: Iterator[Fact], clause: Distribution = CLAUSE) -> list[Finding]:
    state: DistributionState | None = None
    findings: list[Finding] = []
    for fact in facts:
        moment = Moment(fact.window_end, fact.window_end)
        judged: Judgement = clause.judge(SEAM, state, fact, moment)
        judged = replace(judged, findings=judged.findings) if judged.findings else judged
        findings.extend(judged.findings)
        state = judged.state
    return findings


def test_a_shift_is_found_within_minutes_and_dated() -> None:
    (found,) = drive(stream(1, 400, shift_at=300))
    assert isinstance(found, Open)
    assert START + 300 * MINUTE < found.opened_at <= START + 312 * MINUTE
    assert found.since is not None
    assert abs(found.since - (START + 300 * MINUTE)) <= 30 * MINUTE
    assert found.observed is not None
    assert found.limit is not None
    assert found.observed > found.limit
    assert "when approved and is now" in found.summary


def test_scores_as_approved_stay_silent() -> None:
    assert drive(stream(2, 3_000)) == []


def test_when_the_scores_are_back_the_episode_is_over_and_can_open_again() -> None:
    findings = drive(stream(3, 700, shift_at=300, back_at=400))
    assert [type(f) for f in findings] == [Open, Resolve]
    assert isinstance(findings[0], Open)
    assert isinstance(findings[1], Resolve)
    assert findings[0].key == findings[1].key
    assert START + 400 * MINUTE < findings[1].at < START + 440 * MINUTE


def test_the_reference_period_itself_is_not_judged() -> None:
    assert drive(stream(4, 120, shift_at=60)) == []


def test_without_a_reference_nothing_is_judged() -> None:
    later = [replace(f, window_start=f.window_start + DAY) for f in stream(5, 300, shift_at=100)]
    assert drive(iter(later)) == []


def test_how_windows_are_split_into_facts_changes_nothing() -> None:
    whole = list(stream(6, 330, shift_at=300))
    rng = np.random.default_rng(0)
    state: DistributionState | None = None
    findings: list[Finding] = []
    for fact in whole:
        share = tuple(int(rng.integers(0, n + 1)) for n in fact.histogram)
        rest = tuple(n - s for n, s in zip(fact.histogram, share, strict=True))
        parts = [replace(fact, histogram=h, count=sum(h)) for h in (share, rest)]
        assert merge_facts(*parts) == fact
        early = Moment(fact.window_end, fact.window_start)
        for part in parts:
            judged = CLAUSE.judge(SEAM, state, part, early)
            state = judged.state
            findings.extend(judged.findings)
        judged = CLAUSE.judge(SEAM, state, TimePassed(), Moment(fact.window_end, fact.window_end))
        state = judged.state
        findings.extend(judged.findings)
    assert findings == drive(iter(whole))


def test_fewer_scores_need_longer_but_find_it() -> None:
    (found,) = drive(stream(7, 2 * 60 + 600, n=5, shift_at=300))
    assert isinstance(found, Open)
    assert found.opened_at < START + 700 * MINUTE


@pytest.mark.parametrize("fault", [{"range": [1, 0]}, {"floor": 0}, {"alpha": 0.7}, {"lifetime": "5m"}])
def test_senseless_parameters_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"range|floor|alpha|lifetime"):
        Distribution.model_validate(CLAUSE.model_dump(mode="json", by_alias=True) | fault)
