"""Program: the measures that some systems share, compiled to one vectorised pass over their rows.

Each distinct expression is evaluated once, by polars, over all rows; what they read inside a tool call's `arguments` is
read once for all of them. Where systems share all but their literals, those are columns too. What is counted of the
rows is `streams.measure.counting`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from seamwatch.columnar.arguments import argument_column
from seamwatch.columnar.expressions import argument_columns, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.expression import ExpressionKind
from seamwatch.judging.model.measure import Measure, Source, Watch
from streams.measure.answers import Answers
from streams.measure.counting import Computed, Counted, Counting, Looked, Rows, Statistic, Unknowns
from streams.measure.dedup import Dedup
from streams.measure.likeness import EXPRESSIONS, LITERAL, Own, Parted, Read, conditions_of, parted, starts_of, varies


class Program:
    """Some measures and watches of one source. Two measures that differ in name only are measured once.

    Of ``varied`` ones the likeness counts alone: the literals of each system are given to `run`.
    """

    def __init__(
        self, source: Source, measures: Sequence[Measure], watches: Sequence[Watch] = (), *, varied: bool = False
    ) -> None:
        known = parted(measures)
        self.index = known.index
        self._source: Source = source
        self._starts = starts_of((*known.measures, *watches))
        self._counted = [
            _counted(replace(measure, name=""), start, varied=varied)
            for measure, start in zip(known.measures, self._starts, strict=False)
        ]
        self._looked = [
            _looked(watch, start, varied=varied)
            for watch, start in zip(watches, self._starts[len(known.measures) :], strict=True)
        ]
        asked: list[Counted | Looked] = [*self._counted, *self._looked]
        conditions = dict.fromkeys(read for one in asked for read in one.conditions)
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
            *(self._compiled(c, "boolean").alias(self._names[c]) for c in conditions),
            *(self._compiled(v, "number").cast(pl.Float64).alias(self._names[v]) for v in values),
        ]
        self._expressions += [pl.col(column) for column in dict.fromkeys(self._matched.values())]

    def own(self, parts: Sequence[Parted]) -> Own:
        """What systems whose measures are alike have of their own, by their codes: what `run` wants of varied ones."""
        return Own(parts, self._starts)

    def run(
        self, rows: Rows, distinct: Dedup, own: Own | None = None
    ) -> tuple[Iterator[Statistic], Iterator[Unknowns]]:
        """The statistics of every measure, by group, and what was unknown of every watch, by system.

        Groups and systems of which nothing is worth saying are left out. ``own`` has the literals of the rows' systems,
        for a program of varied measures.
        """
        frame = self._read(self._with_literals(rows, own))
        columns = frame.select(self._expressions) if self._expressions else None
        answers = Answers(self._source, frame, columns, self._names, len(rows.times))
        counting = Counting(rows, Computed(columns, answers, self._names, self._matched), own)
        measured = (found for n, c in enumerate(self._counted) for found in counting.measured(n, c, distinct))
        return measured, (found for n, looked in enumerate(self._looked) for found in counting.unknowns(n, looked))

    def _compiled(self, read: Read, kind: ExpressionKind) -> pl.Expr:
        return polars_expression(read.expression, self._source, kind, extracted=True, literals=read.literals)

    def _with_literals(self, rows: Rows, own: Own | None) -> pl.DataFrame:
        if own is None or not self._places:
            return rows.frame
        columns = own.columns(self._places, rows.systems.codes)
        return rows.frame.with_columns([column.alias(f"{LITERAL}{place}") for place, column in columns.items()])

    def _read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame, with what expressions read inside `arguments` beside it."""
        # Only a lazy frame does once what these columns have in common: making the JSON text ready for queries.
        return frame.lazy().with_columns(self._arguments).collect() if self._arguments else frame


def columns_of(asked: Iterable[Measure | Watch]) -> frozenset[str]:
    """The columns that measures and watches read, beside the event's id, time and system."""
    columns: set[str] = set()
    for one in asked:
        expressions = list(conditions_of(one))
        if isinstance(one, Measure):
            expressions += [e for e in (one.value, *one.weigh) if e is not None]
            columns.update(one.slice)
            columns.update([one.label] if one.label is not None else [])
            columns.update(["arguments"] if one.matching else [])
        for expression in expressions:
            columns |= expression.columns
    return frozenset(columns)


def _counted(measure: Measure, start: int, *, varied: bool) -> Counted:
    # In the order of `streams.measure.likeness.read_by`.
    reads = _Reads(start + EXPRESSIONS, varied=varied)
    select, breach, value = (reads.given(e) for e in (measure.select, measure.breach, measure.value))
    weigh = reads.all(measure.weigh if measure.histogram else ())
    return Counted(measure, select, breach, value, weigh, reads.all(measure.missing), reads.all(measure.left_out))


def _looked(watch: Watch, start: int, *, varied: bool) -> Looked:
    reads = _Reads(start, varied=varied)
    select = reads.given(watch.select)
    return Looked(watch, select, reads.read(watch.condition))


class _Reads:
    """What is read of expressions, one after another, with the places of their literals where they vary."""

    def __init__(self, at: int, *, varied: bool) -> None:
        self._at = at
        self._varied = varied

    def read(self, expression: Expression) -> Read:
        if not self._varied or not varies(expression):
            return Read(expression)
        found = Read(Expression.of(expression.shape.tree), self._at, expression.shape.count)
        self._at += found.own
        return found

    def given(self, expression: Expression | None) -> Read | None:
        return None if expression is None else self.read(expression)

    def all(self, expressions: Iterable[Expression]) -> tuple[Read, ...]:
        return tuple(self.read(expression) for expression in expressions)
