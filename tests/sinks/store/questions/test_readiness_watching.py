"""What a clause would find, by the rate that the store answers with: or why that is not known."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

import pytest

from seamwatch.documents import Contract, Estate
from seamwatch.documents.estate import Term
from seamwatch.durations import DAY, SECOND
from seamwatch.instants import parse_instant
from seamwatch.statistics.histograms import Counted
from sinks.store.client import Store
from sinks.store.questions.inventory import Running
from sinks.store.questions.readiness.known import Watched
from sinks.store.questions.readiness.watching import watched

NOW = parse_instant("2026-11-02T09:00:00Z")


class Answers:
    """A store that answers with how many scores there were, and notes what it was asked."""

    def __init__(self, *rates: dict[str, Any]) -> None:
        self.rates, self.asked = rates, 0

    def rows(self, _sql: str, _values: Any = None) -> list[dict[str, Any]]:
        self.asked += 1
        return list(self.rates)


def found(store: Answers, days: int = 40, hidden: frozenset[str] = frozenset(), **fields: Any) -> Watched:
    clause = {"id": "scores", "kind": "distribution", "reference": {"first": "14d"}} | fields
    contract = Contract.model_validate(
        {
            "kind": "Contract", "id": "limits", "version": "1", "seam": "operations", "covers": ["scorer"],
            "parties": {"provider": {}, "consumer": {}}, "clauses": [clause],
        }
    )  # fmt: skip
    running = Running("scorer", "model", "", "", (), (), 50_000, NOW - days * DAY, NOW, True, None)
    estate = Estate(systems=MappingProxyType({}), terms=(Term(contract),))
    (one,) = watched(cast(Store, store), estate, {"scorer": running}, NOW, hidden)["scorer"]
    return one


def rate(scores: int, windows: int, cohort: str | None = None) -> dict[str, Any]:
    return {"system": "scorer", "cohort": cohort, "scores": scores, "windows": windows}


def test_the_more_scores_come_the_smaller_a_move_is_found() -> None:
    many, few = found(Answers(rate(700_000, 10_000))), found(Answers(rate(700, 700)))
    assert many.clause == "limits@1/scores"
    assert many.scores == pytest.approx(200_000)
    assert many.move is not None
    assert few.move is not None
    assert 0.02 < many.move < 0.1 < few.move
    assert "a bound for the fewest first scores, 1,000" in many.rests_on


def test_of_cohorts_the_one_that_finds_most_counts() -> None:
    both = found(Answers(rate(700, 700, "north"), rate(700_000, 10_000, "south")), by="cohort")
    alone = found(Answers(rate(700_000, 10_000, "south")), by="cohort")
    assert both == alone


def test_in_too_few_windows_nothing_is_found() -> None:
    # A batch each night: two in 48 hours.
    assert found(Answers(rate(700_000, 7))).move is None


def test_what_is_not_known_says_why() -> None:
    assert found(Answers()).unknown == "no score came in the last 7 days"
    assert "no complete reference yet" in str(found(Answers(rate(9_000, 900)), days=13).unknown)
    store = Answers(rate(9_000, 900))
    secret = found(store, hidden=frozenset({"attributes"}), where="attributes.region = 'north'")
    assert secret.unknown == "it counts by what you may not see"
    assert store.asked == 0


def test_of_a_period_the_scores_on_record_are_counted_as_the_clause_says(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Counted] = []

    def none_of(_store: Store, asked: Counted) -> dict[str | None, Any]:
        counted.append(asked)
        return {}

    monkeypatch.setattr("sinks.store.questions.readiness.watching.references_of", none_of)
    reference = {"period": {"from": "2026-09-01", "to": "2026-09-15T12:00:00Z"}}
    said = found(Answers(rate(5_000, 900)), reference=reference, where="confidence > 0.5", window="2m", bins=30)
    (asked,) = counted
    assert (asked.start, asked.to) == (parse_instant("2026-09-01"), parse_instant("2026-09-15T12:00:00Z"))
    assert (asked.system, asked.window, asked.bins, str(asked.where)) == (
        "scorer",
        120 * SECOND,
        30,
        "confidence > 0.5",
    )
    assert "no score of the period of its reference is on record" in str(said)
