"""A system whose approved scores are not complete is learning, and not well: nothing can be said of it yet."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.clauses.distribution import Distribution
from seamwatch.durations import DAY
from sinks.store.questions.drift import learning
from sinks.store.questions.inventory import Running
from tests.clauses.history import at


def clause(**reference: Any) -> Distribution:
    return Distribution.model_validate({"id": "shape", "kind": "distribution", "reference": reference})


def running(days: int, events: int) -> Running:
    return Running("scorer", "model", "", "", (), (), events, at(), at() + days * DAY, True, None)


PERIOD = {"period": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-12T00:00:00Z"}}


@pytest.mark.parametrize(
    ("reference", "days", "events", "expected"),
    [
        ({"first": "14d"}, 13, 5_000, True),
        ({"first": "14d"}, 14, 5_000, False),
        ({"first": "14d"}, 20, 999, True),
        (PERIOD, 9, 10, True),
        (PERIOD, 10, 10, False),
    ],
)
def test_until_the_reference_is_complete_it_learns(
    reference: dict[str, Any], days: int, events: int, expected: bool
) -> None:
    assert learning([clause(**reference)], running(days, events)) is expected


def test_one_clause_that_can_compare_is_enough() -> None:
    assert learning([clause(first="30d"), clause(**PERIOD)], running(10, 5_000)) is False
