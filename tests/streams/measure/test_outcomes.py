"""Outcomes joined to their decisions: against a plain loop, in pieces of any size, and what of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.judging.model.measure import DECIDED_BY
from streams.measure.outcomes import join_outcomes
from streams.measure.plan import Plan
from streams.replay.history.joining import joined
from tests.clauses.history import contract, estate_of

_OUTCOME = {
    "event_id": pl.String(), "event_time": pl.Int64(), "system": pl.String(), "inference_id": pl.String(),
    "score": pl.Float64(), "cohort": pl.String(), "label": pl.Float64(),
}  # fmt: skip
_DECISION = {
    "event_id": pl.String(), "system": pl.String(), "score": pl.Float64(), "cohort": pl.String(),
    "version": pl.String(),
}  # fmt: skip
_SCORE = st.none() | st.floats(0, 1)
_COHORT = st.sampled_from([None, "north", "south"])
_SYSTEM = st.sampled_from(["scorer", "other"])
_ID = st.integers(0, 6).map("i{}".format)
_OUTCOMES = st.lists(st.tuples(_SYSTEM, _ID, _SCORE, _COHORT), max_size=25)
_DECISIONS = st.lists(st.tuples(_ID, _SYSTEM, _SCORE, _COHORT, st.sampled_from(["v1", "a/ü 2"])), max_size=25)


def outcomes_of(rows: list[tuple[str, str, float | None, str | None]]) -> pl.DataFrame:
    full = [(f"o{n}", n, *row, 1.0) for n, row in enumerate(rows)]
    return pl.DataFrame(full, schema=_OUTCOME, orient="row")


def plainly(outcomes: pl.DataFrame, mask: pl.Series, decisions: pl.DataFrame) -> list[dict[str, Any]]:
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for decision in decisions.iter_rows(named=True):
        known.setdefault((decision["system"], decision["event_id"]), decision)
    rows = []
    for outcome, lacks in zip(outcomes.iter_rows(named=True), mask, strict=True):
        found = known.get((outcome["system"], outcome["inference_id"])) if lacks else None
        given = {name: found[name] for name in ("score", "cohort") if found and outcome[name] is None}
        rows.append({**outcome, **given, DECIDED_BY: quote(found["version"], safe="") if found else None})
    return rows


@settings(max_examples=100)
@given(_OUTCOMES, _DECISIONS, st.data())
def test_each_takes_what_it_lacks_from_the_first_decision_of_its_system(
    rows: list[tuple[str, str, float | None, str | None]], decided: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    outcomes, decisions = outcomes_of(rows), pl.DataFrame(decided, schema=_DECISION, orient="row")
    chosen = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    mask = pl.Series(chosen, dtype=pl.Boolean)
    assert join_outcomes(outcomes, mask, decisions).to_dicts() == plainly(outcomes, mask, decisions)


@settings(max_examples=25)
@given(_OUTCOMES, _DECISIONS, st.integers(1, 9), st.integers(1, 30))
def test_however_little_is_held_at_once(
    rows: list[tuple[str, str, float | None, str | None]], decided: list[tuple[Any, ...]], block: int, held: int
) -> None:
    outcomes, decisions = outcomes_of(rows), pl.DataFrame(decided, schema=_DECISION, orient="row")
    read = 0

    def lacks(frame: pl.DataFrame) -> pl.Series:
        return frame["score"].is_null()

    def again() -> Iterator[pl.DataFrame]:
        nonlocal read
        read += 1
        yield from (decisions[start : start + block] for start in range(0, decisions.height, block))

    with TemporaryDirectory() as folder:
        blocks = list(
            joined(outcomes.iter_slices(block), lacks, again, Path(folder), rows_in_memory=held, block_rows=block)
        )
    found = [{DECIDED_BY: None, **row} for frame in blocks for row in frame.to_dicts()]
    assert found == [{DECIDED_BY: None, **row} for row in plainly(outcomes, lacks(outcomes), decisions)]
    assert read == int(lacks(outcomes).any())


def test_only_what_is_measured_is_looked_up() -> None:
    right = "- {id: right, kind: signal, signal: accuracy, min: 0.5}"
    by_cohort = "- {id: means, kind: calibration, max_error: 0.1, by: cohort}"
    plan = Plan(estate_of(contract("scorer", right), contract("other", by_cohort).replace("id: example", "id: more")))
    frame = outcomes_of([
        ("scorer", "i1", 0.5, None), ("scorer", "i1", None, "north"), ("other", "i1", 0.5, None),
        ("other", "i1", None, "north"), ("other", "i1", 0.5, "north"), ("none", "i1", None, None),
    ])  # fmt: skip
    assert plan.unjoined(frame).to_list() == [False, True, True, True, False, True]
    assert plan.unjoined(frame.clear()).to_list() == []
    assert plan.joined_columns("outcome") == {"inference_id"}
    assert plan.joined_columns("inference") == {"score", "cohort", "version"}
    assert plan.joined_columns("tool_call") == frozenset()
    assert DECIDED_BY not in plan.columns("outcome")


def test_nothing_more_is_kept_where_no_outcome_needs_it() -> None:
    plan = Plan(estate_of(contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")))
    assert plan.joined_columns("outcome") == plan.joined_columns("inference") == frozenset()
    assert not plan.unjoined(outcomes_of([("scorer", "i1", None, None)])).any()
