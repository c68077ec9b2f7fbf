"""Program: the measures that some systems share, compiled to one vectorised pass over their rows.

Each distinct expression is evaluated once, by polars, over all rows; what they read inside a tool call's `arguments` is
read once for all of them; counting per group is numpy's. Rows that do not offend cost no Python at all; evidence is
looked for only where something offends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from seamwatch.columnar.arguments import argument_column
from seamwatch.columnar.expressions import argument_columns, polars_expression
from seamwatch.expressions import Expression
from seamwatch.expressions.expression import ExpressionKind
from seamwatch.judging.facts import BILLION, Evidence
from seamwatch.judging.measure import Histogram, Measure, Source
from seamwatch.values import value
from streams.dedup import Dedup
from streams.evidence import Mask, Position, digests, earliest_rows, evidence_of
from streams.groups import Coded, Groups, Integers, grouped, sliced

ROWS_A_FACT = 1_000
_HEAVIEST = 1e3
_FEW = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """What a program runs over: the systems' rows, where each came from, and what every measure needs of them."""

    frame: pl.DataFrame
    systems: Coded
    times: Integers
    position: Position | None


@value()
class Statistic:
    """What was counted of one measure in one group; the numbers of a `Fact`."""

    measure: int
    system: str
    slice: str | None
    window_start: int
    numbers: dict[str, Any]


class Program:
    """Some measures of one source. Two measures that differ in name only are measured once."""

    def __init__(self, source: Source, measures: Sequence[Measure]) -> None:
        self._measures = tuple(dict.fromkeys(replace(measure, name="") for measure in measures))
        self.index = tuple(self._measures.index(replace(measure, name="")) for measure in measures)
        conditions = dict.fromkeys(e for m in self._measures for e in (m.select, m.breach) if e is not None)
        values = dict.fromkeys(
            e for m in self._measures for e in (m.value, *(m.weigh if m.histogram else ())) if e is not None
        )
        self._conditions = {condition: f"c{number}" for number, condition in enumerate(conditions)}
        self._values = {value: f"v{number}" for number, value in enumerate(values)}
        kinds: list[tuple[Expression, ExpressionKind]] = [(condition, "boolean") for condition in conditions]
        kinds += [(value, "number") for value in values]
        # By name, the column with the value of an argument that calls are matched by.
        self._matched = {
            name: column
            for measure in self._measures
            for name in measure.matching
            if (column := argument_column(name)) is not None
        }
        self._arguments = argument_columns(kinds, source, self._matched)
        read = partial(polars_expression, record_type=source, extracted=True)
        self._expressions = [
            *(read(e).fill_null(value=False).alias(name) for e, name in self._conditions.items()),
            *(read(e, kind="number").cast(pl.Float64).alias(name) for e, name in self._values.items()),
        ]
        self._expressions += [pl.col(column) for column in dict.fromkeys(self._matched.values())]
        self.columns = columns_of(self._measures)

    def run(self, rows: Rows, distinct: Dedup) -> Iterator[Statistic]:
        """The statistics of every measure, by group; groups of which nothing is worth saying are left out."""
        computed = self._read(rows.frame).select(self._expressions) if self._expressions else None
        pass_ = _Pass(rows, computed, self._conditions, self._values, self._matched)
        for number, measure in enumerate(self._measures):
            yield from pass_.statistics(number, measure, distinct)

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


class _Pass:
    """One run of a program: columns and groups that several measures want are made once."""

    def __init__(
        self,
        rows: Rows,
        computed: pl.DataFrame | None,
        conditions: dict[Expression, str],
        values: dict[Expression, str],
        matched: dict[str, str],
    ) -> None:
        self._rows = rows
        self._computed = computed
        self._matched = matched
        self._digests: dict[tuple[str, ...], str] = {}
        self._names = conditions | values
        self._holding: dict[Expression, Mask | bool] = {}
        self._numbers: dict[Expression, npt.NDArray[np.float64]] = {}
        self._groups: dict[tuple[int, tuple[str, ...]], Groups] = {}
        self._slices: dict[tuple[str, ...], Coded] = {}

    def statistics(self, number: int, measure: Measure, distinct: Dedup) -> Iterator[Statistic]:
        selected = True if measure.select is None else self._holds(measure.select)
        offends = False if measure.breach is None else self._holds(measure.breach)
        if selected is False or (measure.only_breaches and offends is False):
            return
        if measure.distinct and measure.value is not None:
            selected = self._unrepeated(measure, selected, distinct)
        breaching = _both(selected, offends)
        chosen = breaching if measure.only_breaches else selected
        if chosen is False:
            return
        index = None if chosen is True else np.flatnonzero(chosen)
        groups = self._grouped(measure, index)
        times = _taken(self._rows.times, index)
        counts = np.bincount(groups.ids, minlength=groups.size)
        present = np.flatnonzero(counts)
        first = _extreme(np.minimum, groups, times)
        last = _extreme(np.maximum, groups, times)
        values = None
        if measure.value is not None:
            weights = [self._number(weight) for weight in measure.weigh] if measure.histogram else []
            values = _Values.of(self._number(measure.value), weights, index, groups, measure)
        breaches, evidence = self._breaches(measure, breaching, index, groups, counts)
        columns = (counts, np.zeros_like(counts) if breaches is None else breaches, first, last)
        each = zip(
            present.tolist(), groups.identities(present), *(column[present].tolist() for column in columns), strict=True
        )
        for group, (system, part, start), count, breached, earliest, latest in each:
            told = evidence.get(group, ())
            if measure.evidence is None:
                for said in _bounded(told):
                    yield Statistic(number, system, part, start, said)
                continue
            numbers: dict[str, Any] = {
                "count": count,
                "breaches": breached,
                "first_time": earliest,
                "last_time": latest,
                "evidence": told,
            }
            if values is not None:
                numbers |= values.numbers(group)
            yield Statistic(number, system, part, start, numbers)

    def _holds(self, condition: Expression) -> Mask | bool:
        """Where a condition holds; True or False where it does so for all rows or none."""
        if condition not in self._holding:
            holds = self._column(condition)
            true = int(holds.sum() or 0)
            self._holding[condition] = bool(true) if true in (0, len(holds)) else holds.to_numpy()
        return self._holding[condition]

    def _number(self, value: Expression) -> npt.NDArray[np.float64]:
        """A value's numbers, NaN where it has none."""
        if value not in self._numbers:
            self._numbers[value] = self._column(value).fill_null(float("nan")).to_numpy()
        return self._numbers[value]

    def _column(self, expression: Expression) -> pl.Series:
        assert self._computed is not None
        column = self._computed[self._names[expression]]
        # Expressions of constants alone give one row, whatever the frame's height.
        return column if len(column) == len(self._rows.frame) else column.new_from_index(0, len(self._rows.frame))

    def _unrepeated(self, measure: Measure, selected: Mask | bool, distinct: Dedup) -> Mask | bool:
        assert measure.value is not None
        rows = self._rows
        systems = np.array(rows.systems.names, dtype=object)[rows.systems.codes]
        slices = self._sliced(measure.slice)
        parts = np.array(slices.names, dtype=object)[slices.codes]
        values = self._number(measure.value)
        counted = ~np.isnan(values) if selected is True else selected & ~np.isnan(values)
        index = np.flatnonzero(counted)
        keys = pl.DataFrame(
            {
                "system": pl.Series(systems[index], dtype=pl.String),
                "slice": pl.Series(parts[index], dtype=pl.String),
                "window": rows.times[index] // measure.window,
                "value": values[index],
            }
        ).select(
            pl.concat_str(
                pl.lit(repr((measure.select, measure.value, measure.slice, measure.histogram, measure.window))),
                "system",
                pl.col("slice").fill_null("\x00"),
                "window",
                "value",
                separator="\x1f",
            )
        )
        chosen = np.ones(len(values), np.bool_) if selected is True else np.array(selected, np.bool_)
        chosen[index] = distinct.fresh(keys.to_series()).to_numpy()
        return chosen if chosen.any() else False

    def _sliced(self, fields: tuple[str, ...]) -> Coded:
        if fields not in self._slices:
            self._slices[fields] = sliced(self._rows.frame, fields)
        return self._slices[fields]

    def _grouped(self, measure: Measure, index: Integers | None) -> Groups:
        systems = self._rows.systems
        if index is None:
            key = (measure.window, measure.slice)
            if key not in self._groups:
                slices = self._sliced(measure.slice)
                self._groups[key] = grouped(systems, slices, self._rows.times, measure.window)
            return self._groups[key]
        chosen = Coded(systems.codes[index], systems.names)
        if not measure.slice:
            slices = Coded(np.zeros(len(index), np.int64), (None,))
        elif measure.slice in self._slices or len(index) * _FEW > len(self._rows.times):
            # Several measures look at the same slices; where few rows offend, theirs are told apart sooner.
            whole = self._sliced(measure.slice)
            slices = Coded(whole.codes[index], whole.names)
        else:
            slices = sliced(self._rows.frame.select(measure.slice)[index], measure.slice)
        return grouped(chosen, slices, self._rows.times[index], measure.window)

    def _breaches(
        self, measure: Measure, breaching: Mask | bool, index: Integers | None, groups: Groups, counts: Integers
    ) -> tuple[Integers | None, dict[int, tuple[Evidence, ...]]]:
        if breaching is False:
            return None, {}
        if breaching is True or measure.only_breaches:
            places, ids = index if index is not None else np.arange(len(self._rows.times)), groups.ids
            breaches = counts
        else:
            offending = breaching if index is None else breaching[index]
            places = np.flatnonzero(breaching)
            ids = groups.ids[offending]
            breaches = np.bincount(ids, minlength=groups.size)
        return breaches, self._evidence(measure, places, ids)

    def _evidence(self, measure: Measure, places: Integers, ids: Integers) -> dict[int, tuple[Evidence, ...]]:
        """The earliest (mostly five) of the offending rows at ``places``, for each of their groups."""
        times, events = self._rows.times, self._rows.frame["event_id"]
        places, ids = earliest_rows(ids, times[places], places, events, measure.evidence)
        values = self._number(measure.value)[places] if measure.value is not None else None
        return evidence_of(places, ids, times, events, values, self._labels(measure, places), self._rows.position)

    def _labels(self, measure: Measure, places: Integers) -> list[str | None] | None:
        column = "arguments" if measure.matching else measure.label
        if column is None:
            return None
        texts = self._rows.frame[column].gather(places).cast(pl.String).to_list()
        if not measure.matching:
            return texts
        read = None
        if self._computed is not None and self._matched.keys() >= set(measure.matching):
            read = [self._computed[self._matched[name]].gather(places).to_list() for name in measure.matching]
        return digests(texts, measure.matching, read, self._digests)


@dataclass(frozen=True, slots=True)
class _Values:
    """Total, extremes and histogram of a value, by group, over the rows that have one."""

    counts: Integers
    totals: npt.NDArray[np.float64]
    minima: npt.NDArray[np.float64]
    maxima: npt.NDArray[np.float64]
    histograms: Integers | None
    sums: tuple[Integers, ...]

    @classmethod
    def of(
        cls,
        values: npt.NDArray[np.float64],
        weights: Sequence[npt.NDArray[np.float64]],
        index: Integers | None,
        groups: Groups,
        measure: Measure,
    ) -> _Values:
        values, ids = _taken(values, index), groups.ids
        weights = [_taken(weight, index) for weight in weights]
        missing = np.isnan(values)
        if missing.any():
            values, ids = values[~missing], ids[~missing]
            weights = [weight[~missing] for weight in weights]
        minima, maxima = np.full(groups.size, np.inf), np.full(groups.size, -np.inf)
        np.minimum.at(minima, ids, values)
        np.maximum.at(maxima, ids, values)
        counts = np.bincount(ids, minlength=groups.size)
        totals = np.bincount(ids, weights=values, minlength=groups.size).astype(np.float64)
        if measure.histogram is None:
            return cls(counts, totals, minima, maxima, None, ())
        cells, size = _cells(measure.histogram, values, ids), (groups.size, measure.histogram.bins)
        histograms = np.bincount(cells, minlength=size[0] * size[1]).reshape(size)
        sums = tuple(_billionths(weight, cells, size) for weight in weights)
        return cls(counts, totals, minima, maxima, histograms, sums)

    def numbers(self, group: int) -> dict[str, Any]:
        histogram = () if self.histograms is None else tuple(self.histograms[group].tolist())
        sums = tuple(number for summed in self.sums for number in summed[group].tolist())
        if not self.counts[group]:
            return {"histogram": histogram, "sums": sums}
        return {
            "sums": sums,
            "total": float(self.totals[group]),
            "minimum": float(self.minima[group]),
            "maximum": float(self.maxima[group]),
            "histogram": histogram,
        }


def _cells(bins: Histogram, values: npt.NDArray[np.float64], ids: Integers) -> Integers:
    # Group and bin of each value, as one number.
    scaled = np.floor((values - bins.low) * (bins.bins / (bins.high - bins.low)))
    cells: Integers = ids * bins.bins + np.clip(scaled, 0, bins.bins - 1).astype(np.int64)
    return cells


def _billionths(weights: npt.NDArray[np.float64], cells: Integers, size: tuple[int, int]) -> Integers:
    # Whole numbers, since sums of doubles depend on the order of the rows.
    summed = np.zeros(size[0] * size[1], np.int64)
    whole = np.rint(np.clip(np.nan_to_num(weights), -_HEAVIEST, _HEAVIEST) * BILLION).astype(np.int64)
    np.add.at(summed, cells, whole)
    return summed.reshape(size)


def _bounded(told: tuple[Evidence, ...]) -> Iterator[dict[str, Any]]:
    # Facts of rows that are all told one by one, none longer than a record of a topic may be.
    for at in range(0, len(told), ROWS_A_FACT):
        rows = told[at : at + ROWS_A_FACT]
        yield {
            "count": len(rows),
            "breaches": len(rows),
            "first_time": rows[0].event_time,
            "last_time": rows[-1].event_time,
            "evidence": rows,
        }


def _both(left: Mask | bool, right: Mask | bool) -> Mask | bool:
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    both = left & right
    return both if both.any() else False


def _taken(column: Any, index: Integers | None) -> Any:
    return column if index is None else column[index]


def _extreme(ufunc: np.ufunc, groups: Groups, times: Integers) -> Integers:
    extremes = np.full(groups.size, 2**62 if ufunc is np.minimum else -(2**62), np.int64)
    ufunc.at(extremes, groups.ids, times)
    return extremes
