"""Answers: what conditions say of the rows of a frame, TRUE, FALSE or NULL, and of NULL which kind.

Columns only. The kind of NULL is looked for where something is NULL, and nowhere else. What an answer means is the
clause's, and `streams.measure.program` counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl

from seamwatch.columnar.expressions import missing_expression, odd_expression
from seamwatch.expressions.closure import Row
from seamwatch.expressions.doubts import doubts
from seamwatch.judging.model.measure import NULL, Answer, Measure, Source, labelled
from streams.measure.evidence import Mask
from streams.measure.groups import Integers
from streams.measure.likeness import LITERAL, Read

ODD: Final[frozenset[Answer]] = frozenset({"odd"})


class Answers:
    """The answers of conditions, each looked at once; ``computed`` has them as columns of these names."""

    def __init__(
        self,
        source: Source,
        frame: pl.DataFrame,
        computed: pl.DataFrame | None,
        names: Mapping[Read, str],
        rows: int,
    ) -> None:
        self._source: Source = source
        self._frame = frame
        self._computed = computed
        self._names = names
        self._rows = rows
        self._masks: dict[tuple[Read, frozenset[Answer]], Mask | bool] = {}

    def among(self, condition: Read, answers: frozenset[Answer]) -> Mask | bool:
        """Where the condition's answer is one of these; True or False where it is so for all rows or none."""
        key = (condition, answers)
        if key not in self._masks:
            self._masks[key] = self._among(condition, answers)
        return self._masks[key]

    def _among(self, condition: Read, answers: frozenset[Answer]) -> Mask | bool:
        column = self._column(condition)
        nulls, true = column.null_count(), int(column.sum() or 0)
        kinds = answers & NULL if nulls else frozenset[Answer]()
        null = kinds == NULL
        if null or not kinds:
            counts = {"true": true, "false": len(column) - nulls - true}
            number = sum(counts[answer] for answer in answers - NULL) + (nulls if null else 0)
            if number in (0, len(column)):
                return bool(number)
        mask: Mask = _where(column, true="true" in answers, false="false" in answers, null=null).to_numpy()
        if null or not kinds:
            return mask
        unknown = np.flatnonzero(column.is_null().to_numpy())
        mask = mask.copy()
        mask[unknown[self._of_kinds(condition, unknown, kinds)]] = True
        return mask if mask.any() else False

    def _of_kinds(self, condition: Read, rows: Integers, kinds: frozenset[Answer]) -> Mask:
        """Which of some rows, where the condition is NULL, are NULL in one of these ways."""
        odd = odd_expression(condition.expression, self._source, extracted=True, literals=condition.literals)
        missing = missing_expression(condition.expression, self._source)
        never = pl.repeat(value=False, n=pl.len())
        asked = condition.expression.columns
        needed = [n for n in self._frame.columns if n in asked or n.startswith(("arguments.", LITERAL))]
        ways = (("odd", never if odd is None else odd), ("missing", never if missing is None else missing))
        read = self._frame.select(needed)[rows].select(expression.alias(name) for name, expression in ways)
        is_odd: Mask = read["odd"].to_numpy()
        is_missing: Mask = read["missing"].to_numpy() & ~is_odd
        found = np.zeros(len(rows), np.bool_)
        for kind, mask in (("odd", is_odd), ("missing", is_missing), ("absent", ~is_odd & ~is_missing)):
            found |= mask if kind in kinds else False
        return found

    def _column(self, condition: Read) -> pl.Series:
        assert self._computed is not None
        column = self._computed[self._names[condition]]
        # Expressions of constants alone give one row, whatever the frame's height.
        return column if len(column) == self._rows else column.new_from_index(0, self._rows)

    def explain(
        self,
        breach: Read | None,
        asked: Callable[[int], Measure],
        places: Integers,
        ids: Integers,
        labels: list[str | None],
    ) -> None:
        """Say in the label of each group's first row why its answer is NULL; ``places`` are in the order of groups.

        ``asked`` gives the measure, with the literals of its own, as a row's system has it.
        """
        if breach is None or not len(places):
            return
        null = self.among(breach, NULL)
        if null is False:
            return
        first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        unknown = first if null is True else first[null[places[first]]]
        read = self._frame.select(sorted(breach.expression.columns & set(self._frame.columns)))[places[unknown]]
        for at, record in zip(unknown.tolist(), read.iter_rows(named=True), strict=True):
            condition = asked(int(places[at])).breach
            assert condition is not None
            labels[at] = labelled(labels[at] or "", doubts(condition, self._source)(Row(record)))


def _where(column: pl.Series, *, true: bool, false: bool, null: bool) -> pl.Series:
    """Where a column is one of these."""
    if true != false:
        return column.fill_null(value=null) if true else ~column.fill_null(value=not null)
    if true:
        return column.is_not_null()
    return column.is_null() if null else pl.Series(np.zeros(len(column), np.bool_))


def both(left: Mask | bool, right: Mask | bool) -> Mask | bool:
    """Where both hold."""
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    found = left & right
    return found if found.any() else False
