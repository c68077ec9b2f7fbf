"""Program: the measures that some systems share, compiled to one vectorised pass over their rows.

Each distinct expression is evaluated once, by polars, over all rows; what they read inside a tool call's `arguments` is
read once for all of them. Where systems share all but their literals, those are columns too. What is counted of the
rows is `streams.counting`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from seamwatch.columnar.arguments import argument_column
from seamwatch.columnar.expressions import argument_columns, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.expression import ExpressionKind
from seamwatch.judging.measure import Measure, Source
from streams.counting import Computed, Counted, Counting, Read, Rows, Statistic
from streams.dedup import Dedup
from streams.likeness import EXPRESSIONS, Own, Parted, parted, starts_of, varies

_LITERAL: Final = "__literal_"


class Program:
    """Some measures of one source. Two measures that differ in name only are measured once.

    Of ``varied`` measures the likeness counts alone: the literals of each system are given to `run`.
    """

    def __init__(self, source: Source, measures: Sequence[Measure], *, varied: bool = False) -> None:
        known = parted(measures)
        self.index = known.index
        self._source: Source = source
        self._starts = starts_of(known.measures)
        self._counted = [
            _counted(replace(measure, name=""), start, varied=varied)
            for measure, start in zip(known.measures, self._starts, strict=True)
        ]
        conditions = dict.fromkeys(read for c in self._counted for read in (c.select, c.breach) if read is not None)
        values = dict.fromkeys(read for c in self._counted for read in (c.value, *c.weigh) if read is not None)
        self._names = {read: f"c{number}" for number, read in enumerate(conditions)}
        self._names |= {read: f"v{number}" for number, read in enumerate(values)}
        self._places = sorted(
            {read.at + place for read in self._names if read.at is not None for place in range(read.own)}
        )
        kinds: list[tuple[Expression, ExpressionKind]] = [(condition.expression, "boolean") for condition in conditions]
        kinds += [(value.expression, "number") for value in values]
        # By name, the column with the value of an argument that calls are matched by.
        self._matched = {
            name: column
            for measure in known.measures
            for name in measure.matching
            if (column := argument_column(name)) is not None
        }
        self._arguments = argument_columns(kinds, source, self._matched)
        self._expressions = [
            *(self._compiled(c, "boolean").fill_null(value=False).alias(self._names[c]) for c in conditions),
            *(self._compiled(v, "number").cast(pl.Float64).alias(self._names[v]) for v in values),
        ]
        self._expressions += [pl.col(column) for column in dict.fromkeys(self._matched.values())]

    def own(self, parts: Sequence[Parted]) -> Own:
        """What systems whose measures are alike have of their own, by their codes: what `run` wants of varied ones."""
        return Own(parts, self._starts)

    def run(self, rows: Rows, distinct: Dedup, own: Own | None = None) -> Iterator[Statistic]:
        """The statistics of every measure, by group; groups of which nothing is worth saying are left out.

        ``own`` has the literals of the rows' systems, for a program of varied measures.
        """
        columns = self._read(self._with_literals(rows, own)).select(self._expressions) if self._expressions else None
        counting = Counting(rows, Computed(columns, self._names, self._matched), own)
        for number, counted in enumerate(self._counted):
            yield from counting.statistics(number, counted, distinct)

    def _compiled(self, read: Read, kind: ExpressionKind) -> pl.Expr:
        def literal(place: int) -> pl.Expr:
            assert read.at is not None
            return pl.col(f"{_LITERAL}{read.at + place}")

        literals = None if read.at is None else literal
        return polars_expression(read.expression, self._source, kind, extracted=True, literals=literals)

    def _with_literals(self, rows: Rows, own: Own | None) -> pl.DataFrame:
        if own is None or not self._places:
            return rows.frame
        columns = own.columns(self._places, rows.systems.codes)
        return rows.frame.with_columns([column.alias(f"{_LITERAL}{place}") for place, column in columns.items()])

    def _read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame, with what expressions read inside `arguments` beside it."""
        # Only a lazy frame does once what these columns have in common: making the JSON text ready for queries.
        return frame.lazy().with_columns(self._arguments).collect() if self._arguments else frame


def columns_of(measures: Sequence[Measure]) -> frozenset[str]:
    """The columns that measures read, beside the event's id, time and system."""
    columns: set[str] = set()
    for measure in measures:
        for expression in (measure.select, measure.breach, measure.value, *measure.weigh):
            columns |= expression.columns if expression is not None else frozenset()
        columns.update(measure.slice)
        columns.update([measure.label] if measure.label is not None else [])
        columns.update(["arguments"] if measure.matching else [])
    return frozenset(columns)


def _counted(measure: Measure, start: int, *, varied: bool) -> Counted:
    at = start + EXPRESSIONS

    def read(expression: Expression | None) -> Read | None:
        nonlocal at
        if expression is None:
            return None
        if not varied or not varies(expression):
            return Read(expression)
        found = Read(Expression.of(expression.shape.tree), at, expression.shape.count)
        at += found.own
        return found

    select, breach, value = read(measure.select), read(measure.breach), read(measure.value)
    weigh = tuple(found for e in (measure.weigh if measure.histogram else ()) if (found := read(e)) is not None)
    return Counted(measure, select, breach, value, weigh)
