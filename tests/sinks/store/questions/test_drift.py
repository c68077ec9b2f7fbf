"""A system whose approved scores are not complete is learning, and not well: nothing can be said of it yet."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, cast

import pytest

from seamwatch.clauses.distribution import Distribution
from seamwatch.durations import DAY
from sinks.store.questions.drift import Drift, drift, learning
from sinks.store.questions.inventory import Running
from tests.clauses.history import at

if TYPE_CHECKING:
    from sinks.store.client import Store


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


class Answers:
    """A store that answers with one system, which serves, and with the clauses that watch it."""

    def __init__(self, *clauses: str) -> None:
        self._clauses = clauses

    def rows(self, sql: str, _values: Any = None) -> list[dict[str, Any]]:
        if "FROM drift_now" in sql:
            told: dict[str, Any] = dict.fromkeys(each.name for each in fields(Drift))
            return [told | {"system": "scorer", "owner": "", "drift": "steady"}]
        if "FROM contract_clauses" in sql:
            return [{"system": "scorer", "clause": clause} for clause in self._clauses]
        return [asdict(running(20, 5_000))]


def test_a_clause_that_cannot_be_read_watches_nothing() -> None:
    readable, unreadable = clause(first="14d").model_dump_json(exclude_none=True), '{"kind": "distribution", "of": 1}'

    def told(*clauses: str) -> str:
        (found,) = drift(cast("Store", Answers(*clauses)), "scorer")
        return found.drift

    assert told(readable) == "steady"
    assert told(readable, unreadable) == "steady"
    assert told(unreadable) == "unwatched"
