"""What each kind tolerates: the share that it judges windows by, over the very events that it measures."""

from __future__ import annotations

from typing import Any, cast

import pytest

from seamwatch.clauses import kinds
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.model.tolerance import Tolerance

NO_SEAM = cast(Seam, None)
"""What these clauses measure depends on no seam."""


def tolerance(kind: str, **given: Any) -> Tolerance | None:
    clause = kinds()[kind].model_validate({"id": "x", "kind": kind, **given})
    found = clause.tolerance()
    if found is not None:
        assert found.measure == clause.measures(NO_SEAM)[0]
    return found


@pytest.mark.parametrize(
    ("kind", "given", "share", "fewest"),
    [
        ("range", {"min": 0, "tolerate": 0.02, "where": "version = '1'"}, 0.02, 1),
        ("range", {"max": 1, "nullable": False, "tolerate": 0.5}, 0.5, 1),
        ("assertion", {"must": "decision = 'approve'", "at_least": 0.99, "min_count": 50}, 0.01, 50),
        ("assertion", {"must": "tool = 'x'", "on": "tool_call", "at_least": 0.9}, 0.1, 1),
        ("signal", {"signal": "latency", "max": 300}, 0.05, 30),
        ("signal", {"signal": "latency", "max": 300, "quantile": 0.5}, 0.5, 30),
        ("signal", {"signal": "accuracy", "min": 0.7}, 0.3, 30),
        ("signal", {"signal": "abuse", "max": 0.01, "by": "cohort", "min_count": 5}, 0.01, 5),
        ("signal", {"signal": "fallback", "min": 0.1, "max": 0.2}, 0.2, 30),
    ],
)
def test_a_share_that_is_agreed_is_tolerated(kind: str, given: dict[str, Any], share: float, fewest: int) -> None:
    found = tolerance(kind, **given)
    assert found is not None
    assert (found.share, found.fewest) == (share, fewest)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("range", {"min": 0}),
        ("assertion", {"must": "decision = 'approve'"}),
        ("signal", {"signal": "latency", "max": 300, "quantile": 1}),
        ("signal", {"signal": "accuracy", "min": 1}),
        ("signal", {"signal": "accuracy", "max": 0.9}),
        ("signal", {"signal": "abuse", "max": 0}),
        ("signal", {"signal": "abuse", "max": 1}),
        ("signal", {"signal": "fallback", "min": 0.1}),
        ("signal", {"signal": "drift", "max": 0.2}),
        ("completeness", {}),
        ("freshness", {"max_lag": "1h"}),
        ("human_review", {"below": 0.7}),
    ],
)
def test_where_none_is_agreed_none_is_tolerated(kind: str, given: dict[str, Any]) -> None:
    assert tolerance(kind, **given) is None


def test_what_a_signal_says_nothing_of_is_left_out_of_its_share() -> None:
    slow, abused = tolerance("signal", signal="latency", max=300), tolerance("signal", signal="abuse", max=0.1)
    assert slow is not None
    assert abused is not None
    assert str(slow.left_out) == "latency_ms IS NULL"
    assert abused.left_out is None
