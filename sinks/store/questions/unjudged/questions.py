"""From a clause to what is counted of events: which it looks at, of which it cannot tell, and how many it needs.

Pure. The conditions are the clause's own, by which the stages count too (`Clause.measures`, `Clause.watches`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seamwatch.clauses.calibration import Calibration
from seamwatch.clauses.clause import Selecting
from seamwatch.clauses.representation import Representation
from seamwatch.clauses.volume import Volume
from seamwatch.engine.seams import BoundClause
from seamwatch.errors import ExpressionError
from seamwatch.expressions import Expression
from seamwatch.judging.model.measure import Measure, Source, Watch

PERSONAL: Final = frozenset({"attributes", "arguments"})
"""What whoever may not see everything is not shown, nor asked by."""


@dataclass(frozen=True, slots=True)
class Least:
    """So many events of a window are judged at least; ``window`` None for all of them together."""

    count: int
    window: int | None
    by_cohort: bool
    select: Expression | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the events of one type for a clause as it binds a system, from ``since`` (micros) on.

    ``looks_at``: it looks at events for which any of these holds; at all for none. ``where``: which of the decisions
    have outcomes that it looks at; only of outcomes.
    """

    bound: BoundClause
    source: Source
    since: int
    looks_at: tuple[Expression, ...]
    doubts: tuple[Watch, ...]
    least: Least | None = None
    where: Expression | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it asks by what not everybody may be told."""
        asked = [*self.looks_at, *(doubt.condition for doubt in self.doubts)]
        asked += [doubt.select for doubt in self.doubts if doubt.select is not None]
        return any(PERSONAL & expression.columns for expression in asked)


def questions(bound: BoundClause, since: int) -> Iterator[Question]:
    """One for each type of events that is measured for a clause."""
    clause, measures = bound.clause, bound.clause.measures(bound.seam)
    watches = dict.fromkeys(clause.watches(bound.seam))
    if isinstance(clause, Selecting):
        # What is agreed to be of no matter could not be judged either, and is counted here.
        watches |= dict.fromkeys(Watch(source, doubt, clause.where, why) for source, doubt, why in clause.doubts())
    for source in dict.fromkeys(measure.source for measure in measures):
        of_source = [measure for measure in measures if measure.source == source]
        yield Question(
            bound,
            source,
            since,
            _looks_at(bound, source, of_source),
            tuple(watch for watch in watches if watch.source == source),
            _least(bound, of_source[0]),
            _meant(clause.where) if source == "outcome" else None,
        )


def _looks_at(bound: BoundClause, source: Source, measures: list[Measure]) -> tuple[Expression, ...]:
    clause = bound.clause
    if isinstance(clause, Selecting) and source in clause.left_out():
        asked = clause.asked_of(source)
        return () if asked is None else (asked,)
    selects = [measure.select for measure in measures]
    return () if None in selects else tuple(dict.fromkeys(select for select in selects if select is not None))


def _least(bound: BoundClause, measure: Measure) -> Least | None:
    clause, by_cohort = bound.clause, "cohort" in measure.slice
    if isinstance(clause, Calibration):
        return Least(clause.min_outcomes, None, by_cohort, measure.select)
    count = getattr(clause, "min_count", None)
    return None if count is None or count < 2 else Least(count, measure.window, by_cohort, measure.select)


def _meant(where: Expression | None) -> Expression | None:
    try:
        if where is not None:
            where.check("inference")
    except ExpressionError:
        return None
    return where


def of_refreshes(bound: BoundClause) -> str | None:
    """What a clause over the refreshes of a dataset cannot do without; None where it can, or looks at none."""
    clause = bound.clause
    if isinstance(clause, Volume) and "dataset_refresh" in clause.sources():
        return "row_count"
    return "cohorts" if isinstance(clause, Representation) and clause.of == "dataset" else None


def fields_of(doubt: Watch) -> str:
    """What a condition reads, in words."""
    return ", ".join(sorted(doubt.condition.fields)) or doubt.condition.shown
