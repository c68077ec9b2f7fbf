"""Distribution: pinned reference, quiet without a shift, a shift found with its time and cut-off, and recovery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from seamwatch.clauses.distribution import Distribution, DistributionState
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Judgement, Moment, Open, Resolve, TimePassed
from seamwatch.judging.model.merging import merge_facts
from seamwatch.judging.model.seam import Seam
from seamwatch.statistics.histograms import Reference

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


def nulls(seed: int, windows: int, n: int, share: float, broken_at: int = 10**9, mended_at: int = 10**9,
          now: float = 0.9) -> Iterator[Fact]:  # fmt: skip
    """Scores as ever, of which so many are missing, and from a window on (to another) many more."""
    rng = np.random.default_rng(seed)
    for index in range(windows):
        missing = int(rng.binomial(n, now if broken_at <= index < mended_at else share))
        scores = 0.5 + 0.15 * rng.standard_normal(n - missing)
        yield replace(window(index, scores), count=n)


@pytest.mark.parametrize(("n", "within"), [(1, 30), (5, 12), (100, 6)])
def test_scores_that_vanish_are_found_within_the_hour(n: int, within: int) -> None:
    clause = Distribution.model_validate(
        CLAUSE.model_dump(mode="json", by_alias=True)
        | {"reference": {"period": {"from": format_instant(START), "to": format_instant(START + 24 * HOUR)}}}
    )
    (found,) = drive(nulls(1, 24 * 60 + 120, n, 0.02, broken_at=24 * 60 + 30), clause)
    assert isinstance(found, Open)
    late = (found.opened_at - START) // MINUTE - 24 * 60 - 30
    assert late <= within
    assert found.since is not None
    assert abs(found.since - START - (24 * 60 + 30) * MINUTE) <= 5 * MINUTE
    assert "the share of decisions without a score was" in found.summary
    assert found.observed is not None
    assert found.observed > 0.5


def test_scores_that_were_missing_and_are_there_have_moved_as_well() -> None:
    (found,) = drive(nulls(2, 300, 100, 0.5, broken_at=200, now=0.0))
    assert isinstance(found, Open)
    assert "the share of decisions with a score was 49 % when approved and is now 100 %" in found.summary


def test_a_share_of_missing_scores_that_stays_is_silent_and_moves_nothing_else() -> None:
    assert drive(nulls(3, 3_000, 100, 0.3)) == []
    shifted = [replace(fact, count=fact.count + 40) for fact in stream(1, 400, shift_at=300)]
    (found,) = drive(iter(shifted))
    assert isinstance(found, Open)
    assert START + 300 * MINUTE < found.opened_at <= START + 313 * MINUTE
    assert "more decisions had none)" in found.summary


def test_windows_of_nothing_but_missing_scores_count() -> None:
    (found,) = drive(nulls(4, 200, 20, 0.0, broken_at=150, now=1.0))
    assert isinstance(found, Open)
    assert found.opened_at <= START + 157 * MINUTE
    assert "is now 100 %" in found.summary


def test_when_the_scores_are_there_again_the_episode_is_over() -> None:
    findings = drive(nulls(5, 600, 100, 0.02, broken_at=200, mended_at=300))
    assert [type(finding) for finding in findings] == [Open, Resolve]
    assert isinstance(findings[1], Resolve)
    assert START + 300 * MINUTE < findings[1].at < START + 330 * MINUTE


def test_missing_scores_may_be_left_out_and_a_reference_that_knows_none_of_them_goes_on() -> None:
    without = CLAUSE.model_copy(update={"missing": False})
    assert drive(nulls(6, 400, 100, 0.0, broken_at=200), without) == []
    histograms = {
        "kind": "Reference", "system": "scorer", "slices": [{"hours": [[40] * 25] * 24}],
    }  # fmt: skip
    of_old = Distribution.model_validate(
        CLAUSE.model_dump(mode="json", by_alias=True) | {"reference": {"histograms": histograms}}
    )
    flat = [replace(fact, histogram=(4,) * 25, count=100 if number < 60 else 1_000) for number, fact in
            enumerate(stream(7, 200))]  # fmt: skip
    assert drive(iter(flat), of_old) == []
    moved = [replace(fact, histogram=(100, *(0,) * 24), count=1_000) for fact in flat]
    assert len(drive(iter(moved), of_old)) == 1


def test_the_bets_of_an_earlier_release_go_on_with_the_reference_it_counted() -> None:
    """Its state knows nothing of missing scores, and is neither lost nor judged by what it does not know."""
    whole = list(nulls(8, 320, 100, 0.0, broken_at=250))
    state = CLAUSE.judge(SEAM, None, whole[0], Moment(whole[0].window_end, whole[0].window_end)).state
    old = replace(state, reference=Reference.empty(25).with_window(0, whole[0].histogram))
    findings: list[Finding] = []
    for fact in whole[1:]:
        judged = CLAUSE.judge(SEAM, old, fact, Moment(fact.window_end, fact.window_end))
        old = judged.state
        findings += judged.findings
    assert findings == []
    assert len(old.wealth) == 73 * 4
