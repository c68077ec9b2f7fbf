"""Counting: what measures count of rows, group by group, once their expressions are columns.

Counting per group is numpy's. Rows that do not offend cost no Python at all; evidence is looked for only where
something offends. Which columns there are is `streams.measure.program`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.measure import HOLDS, NULL, SELECTED, Measure, Watch
from seamwatch.statistics.reliability import BILLION
from seamwatch.values import value
from streams.measure.answers import ODD, Answers, both
from streams.measure.dedup import Dedup
from streams.measure.evidence import Mask, Position, digests, earliest_rows, evidence_of
from streams.measure.groups import Coded, Groups, Integers, grouped, sliced
from streams.measure.likeness import Own, Read

ROWS_A_FACT = 1_000
_HEAVIEST = 1e3
_FEW = 8

Numbers = npt.NDArray[np.float64]


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


@value()
class Unknowns:
    """How often the condition of a watch was NULL for a system, by the reason."""

    watch: int
    system: str
    odd: int
    absent: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure, and what it reads. Of literals that are each system's own it has those of some system."""

    measure: Measure
    select: Read | None
    breach: Read | None
    value: Read | None
    weigh: tuple[Read, ...]
    missing: tuple[Read, ...]
    left_out: tuple[Read, ...]

    @property
    def conditions(self) -> tuple[Read, ...]:
        """What it asks of rows."""
        return (*(read for read in (self.select, self.breach) if read is not None), *self.missing, *self.left_out)


@dataclass(frozen=True, slots=True)
class Looked:
    """A watch, and what it reads."""

    watch: Watch
    select: Read | None
    condition: Read

    @property
    def conditions(self) -> tuple[Read, ...]:
        """What it asks of rows."""
        return (self.condition,) if self.select is None else (self.select, self.condition)


@dataclass(frozen=True, slots=True)
class Computed:
    """The columns that were computed, by their names, and the columns of arguments that calls are matched by."""

    columns: pl.DataFrame | None
    answers: Answers
    names: Mapping[Read, str]
    matched: Mapping[str, str]


class Counting:
    """One run of a program: columns and groups that several measures want are made once."""

    def __init__(self, rows: Rows, computed: Computed, own: Own | None) -> None:
        self._rows = rows
        self._computed = computed
        self._own = own
        self._digests: dict[tuple[str, ...], str] = {}
        self._answers = computed.answers
        self._numbers: dict[Read, Numbers] = {}
        self._groups: dict[tuple[int | bytes, tuple[str, ...]], Groups] = {}
        self._slices: dict[tuple[str, ...], Coded] = {}

    def measured(self, number: int, counted: Counted, distinct: Dedup) -> Iterator[Statistic]:
        """What is counted of one measure, the ``number``-th of its program, and of what it leaves out."""
        window = counted.measure.window if self._own is None else self._own.window(number)
        yield from self._statistics(number, counted, window, distinct)
        yield from self._left_out(number, counted, window)

    def _statistics(
        self, number: int, counted: Counted, window: int | Integers, distinct: Dedup
    ) -> Iterator[Statistic]:
        measure = counted.measure
        selected = True if counted.select is None else self._answers.among(counted.select, SELECTED)
        if selected is False:
            return
        offends = False if counted.breach is None else self._answers.among(counted.breach, measure.offends)
        if measure.only_breaches and offends is False:
            return
        if measure.distinct and counted.value is not None:
            selected = self._unrepeated(number, counted, window, selected, distinct)
        breaching = both(selected, offends)
        chosen = breaching if measure.only_breaches else selected
        if chosen is False:
            return
        index = None if chosen is True else np.flatnonzero(chosen)
        groups = self._grouped(measure, window, index)
        times = _taken(self._rows.times, index)
        counts = np.bincount(groups.ids, minlength=groups.size)
        present = np.flatnonzero(counts)
        first = _extreme(np.minimum, groups, times)
        last = _extreme(np.maximum, groups, times)
        values = None
        if counted.value is not None:
            weights = [self._number(weight) for weight in counted.weigh]
            values = _Values.of(self._number(counted.value), weights, index, groups, self._bins(number, measure))
        missing = [self._held(condition, index, groups) for condition in counted.missing]
        most = self._most(number, measure)
        breaches, evidence = self._breaches(
            number, counted, max(most.values(), default=measure.evidence), breaching, index, groups, counts
        )
        columns = (counts, np.zeros_like(counts) if breaches is None else breaches, first, last)
        each = zip(
            present.tolist(), groups.identities(present), *(column[present].tolist() for column in columns), strict=True
        )
        for group, (system, part, start), count, breached, earliest, latest in each:
            evidence_rows = evidence.get(group, ())[: most.get(system)]
            if measure.evidence is None:
                for said in _bounded(evidence_rows):
                    yield Statistic(number, system, part, start, said)
                continue
            numbers: dict[str, Any] = {
                "count": count,
                "breaches": breached,
                "first_time": earliest,
                "last_time": latest,
                "evidence": evidence_rows,
            }
            if values is not None:
                numbers |= values.numbers(group)
            if missing:
                numbers["missing"] = tuple(int(held[group]) for held in missing)
            yield Statistic(number, system, part, start, numbers)

    def _left_out(self, number: int, counted: Counted, window: int | Integers) -> Iterator[Statistic]:
        """How many rows are left out, by why and by group."""
        masks = [self._answers.among(condition, HOLDS) for condition in counted.left_out]
        if all(mask is False for mask in masks):
            return
        rows = len(self._rows.times)
        first_of = np.full(rows, len(masks))
        for place, mask in reversed(list(enumerate(masks))):
            first_of[mask if not isinstance(mask, bool) else slice(rows if mask else 0)] = place
        index = np.flatnonzero(first_of < len(masks))
        groups = self._grouped(counted.measure, window, index)
        times, whys = self._rows.times[index], first_of[index]
        counts = [np.bincount(groups.ids[whys == place], minlength=groups.size) for place in range(len(masks))]
        first, last = (_extreme(choose, groups, times) for choose in (np.minimum, np.maximum))
        present = np.flatnonzero(np.bincount(groups.ids, minlength=groups.size))
        for group, (system, part, start) in zip(present.tolist(), groups.identities(present), strict=True):
            numbers: dict[str, Any] = {
                "count": 0,
                "breaches": 0,
                "first_time": int(first[group]),
                "last_time": int(last[group]),
                "missing": tuple(int(held[group]) for held in counts),
            }
            yield Statistic(number, system, part, start, numbers)

    def unknowns(self, number: int, looked: Looked) -> Iterator[Unknowns]:
        """How often a watch's condition was NULL, or held where that is what it watches, by system."""
        holds = looked.watch.holds
        null = self._answers.among(looked.condition, NULL if holds is None else HOLDS)
        if null is False:
            return
        selected = True if looked.select is None else self._answers.among(looked.select, SELECTED)
        unknown = both(null, selected)
        if unknown is False:
            return
        odd: Mask | bool = unknown if holds == "odd" else False
        if holds is None:
            odd = both(unknown, self._answers.among(looked.condition, ODD))
        systems = self._rows.systems
        either, strange = (_counted(systems, mask) for mask in (unknown, odd))
        for system in np.flatnonzero(either).tolist():
            name = systems.names[system]
            assert name is not None
            yield Unknowns(number, name, int(strange[system]), int(either[system] - strange[system]))

    def _held(self, condition: Read, index: Integers | None, groups: Groups) -> Integers:
        """Of how many of the chosen rows a condition holds, by group."""
        holds = self._answers.among(condition, HOLDS)
        if isinstance(holds, bool):
            return np.bincount(groups.ids if holds else groups.ids[:0], minlength=groups.size)
        return np.bincount(groups.ids[_taken(holds, index)], minlength=groups.size)

    def _number(self, value: Read) -> Numbers:
        """A value's numbers, NaN where it has none."""
        if value not in self._numbers:
            self._numbers[value] = self._column(value).fill_null(float("nan")).to_numpy()
        return self._numbers[value]

    def _column(self, read: Read) -> pl.Series:
        assert self._computed.columns is not None
        column = self._computed.columns[self._computed.names[read]]
        # Expressions of constants alone give one row, whatever the frame's height.
        return column if len(column) == len(self._rows.frame) else column.new_from_index(0, len(self._rows.frame))

    def _bins(self, number: int, measure: Measure) -> _Bins | None:
        if measure.histogram is None:
            return None
        if self._own is None:
            return _Bins(measure.histogram.bins, measure.histogram.low, measure.histogram.high)
        low, high = self._own.histogram(number)
        codes = self._rows.systems.codes
        return _Bins(measure.histogram.bins, low[codes], high[codes])

    def _unrepeated(
        self, number: int, counted: Counted, window: int | Integers, selected: Mask | bool, distinct: Dedup
    ) -> Mask | bool:
        assert counted.value is not None
        rows, measure = self._rows, counted.measure
        codes = rows.systems.codes
        systems = np.array(rows.systems.names, dtype=object)[codes]
        slices = self._sliced(measure.slice)
        parts = np.array(slices.names, dtype=object)[slices.codes]
        values = self._number(counted.value)
        present = ~np.isnan(values) if selected is True else selected & ~np.isnan(values)
        index = np.flatnonzero(present)
        windows = window if isinstance(window, int) else window[codes[index]]
        if self._own is None:
            counts = pl.Series([_said(measure)], dtype=pl.String).new_from_index(0, len(index))
        else:
            said = np.array([_said(own) for own in self._own.measures(number)], dtype=object)
            counts = pl.Series(said[codes[index]], dtype=pl.String)
        keys = pl.DataFrame(
            {
                "counts": counts,
                "system": pl.Series(systems[index], dtype=pl.String),
                "slice": pl.Series(parts[index], dtype=pl.String).fill_null("\x00"),
                "window": rows.times[index] // windows,
                "value": values[index],
            }
        ).select(pl.concat_str("counts", "system", "slice", "window", "value", separator="\x1f"))
        chosen = np.ones(len(values), np.bool_) if selected is True else np.array(selected, np.bool_)
        chosen[index] = distinct.fresh(keys.to_series()).to_numpy()
        return chosen if chosen.any() else False

    def _sliced(self, fields: tuple[str, ...]) -> Coded:
        if fields not in self._slices:
            self._slices[fields] = sliced(self._rows.frame, fields)
        return self._slices[fields]

    def _grouped(self, measure: Measure, window: int | Integers, index: Integers | None) -> Groups:
        systems = self._rows.systems
        if index is None:
            key = (window if isinstance(window, int) else window.tobytes(), measure.slice)
            if key not in self._groups:
                slices = self._sliced(measure.slice)
                self._groups[key] = grouped(systems, slices, self._rows.times, window)
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
        return grouped(chosen, slices, self._rows.times[index], window)

    def _most(self, number: int, measure: Measure) -> Mapping[str | None, int]:
        """How many offending rows are evidence, by the system, where that is each system's own."""
        if self._own is None or measure.evidence is None:
            return {}
        return dict(zip(self._rows.systems.names, self._own.evidence(number), strict=True))

    def _breaches(
        self,
        number: int,
        counted: Counted,
        most: int | None,
        breaching: Mask | bool,
        index: Integers | None,
        groups: Groups,
        counts: Integers,
    ) -> tuple[Integers | None, dict[int, tuple[Evidence, ...]]]:
        if breaching is False:
            return None, {}
        if breaching is True or counted.measure.only_breaches:
            places, ids = index if index is not None else np.arange(len(self._rows.times)), groups.ids
            breaches = counts
        else:
            offending = breaching if index is None else breaching[index]
            places = np.flatnonzero(breaching)
            ids = groups.ids[offending]
            breaches = np.bincount(ids, minlength=groups.size)
        return breaches, self._evidence(number, counted, most, places, ids)

    def _evidence(
        self, number: int, counted: Counted, most: int | None, places: Integers, ids: Integers
    ) -> dict[int, tuple[Evidence, ...]]:
        """The earliest (mostly five) of the offending rows at ``places``, for each of their groups."""
        measure = counted.measure
        times, events = self._rows.times, self._rows.frame["event_id"]
        places, ids = earliest_rows(ids, times[places], places, events, most)
        values = self._number(counted.value)[places] if counted.value is not None else None
        labels = self._labels(measure, places)
        if measure.offends & NULL and not measure.matching:
            labels = [None] * len(places) if labels is None else labels
            self._answers.explain(counted.breach, self._asked(number, measure), places, ids, labels)
        return evidence_of(places, ids, times, events, values, labels, self._rows.position)

    def _asked(self, number: int, measure: Measure) -> Callable[[int], Measure]:
        """The measure of a row, as its system has it."""
        if self._own is None:
            return lambda _row: measure
        own, codes = self._own.measures(number), self._rows.systems.codes
        return lambda row: own[int(codes[row])]

    def _labels(self, measure: Measure, places: Integers) -> list[str | None] | None:
        column = "arguments" if measure.matching else measure.label
        if column is None:
            return None
        texts = self._rows.frame[column].gather(places).cast(pl.String).to_list()
        if not measure.matching:
            return texts
        read, columns, matched = None, self._computed.columns, self._computed.matched
        if columns is not None and matched.keys() >= set(measure.matching):
            read = [columns[matched[name]].gather(places).to_list() for name in measure.matching]
        return digests(texts, measure.matching, read, self._digests)


@dataclass(frozen=True, slots=True)
class _Bins:
    """So many bins from ``low`` to ``high``, which may be each row's own."""

    bins: int
    low: float | Numbers
    high: float | Numbers

    def taken(self, index: Any) -> _Bins:
        """Those of some rows."""
        low, high = (end if isinstance(end, int | float) else end[index] for end in (self.low, self.high))
        return _Bins(self.bins, low, high)


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
        bins: _Bins | None,
    ) -> _Values:
        values, ids = _taken(values, index), groups.ids
        weights = [_taken(weight, index) for weight in weights]
        if bins is not None and index is not None:
            bins = bins.taken(index)
        missing = np.isnan(values)
        if missing.any():
            values, ids = values[~missing], ids[~missing]
            weights = [weight[~missing] for weight in weights]
            bins = None if bins is None else bins.taken(~missing)
        minima, maxima = np.full(groups.size, np.inf), np.full(groups.size, -np.inf)
        np.minimum.at(minima, ids, values)
        np.maximum.at(maxima, ids, values)
        counts = np.bincount(ids, minlength=groups.size)
        totals = np.bincount(ids, weights=values, minlength=groups.size).astype(np.float64)
        if bins is None:
            return cls(counts, totals, minima, maxima, None, ())
        cells, size = _cells(bins, values, ids), (groups.size, bins.bins)
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


def _cells(bins: _Bins, values: npt.NDArray[np.float64], ids: Integers) -> Integers:
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


def _bounded(evidence: tuple[Evidence, ...]) -> Iterator[dict[str, Any]]:
    # Facts of rows that are all told one by one, none longer than a record of a topic may be.
    for at in range(0, len(evidence), ROWS_A_FACT):
        rows = evidence[at : at + ROWS_A_FACT]
        yield {
            "count": len(rows),
            "breaches": len(rows),
            "first_time": rows[0].event_time,
            "last_time": rows[-1].event_time,
            "evidence": rows,
        }


def _counted(systems: Coded, mask: Mask | bool) -> Integers:
    """How many rows each system has where the mask holds."""
    if mask is False:
        return np.zeros(len(systems.names), np.int64)
    index = None if mask is True else np.flatnonzero(mask)
    return np.bincount(_taken(systems.codes, index), minlength=len(systems.names))


def _taken(column: Any, index: Integers | None) -> Any:
    return column if index is None else column[index]


def _extreme(ufunc: np.ufunc, groups: Groups, times: Integers) -> Integers:
    extremes = np.full(groups.size, 2**62 if ufunc is np.minimum else -(2**62), np.int64)
    ufunc.at(extremes, groups.ids, times)
    return extremes


def _said(measure: Measure) -> str:
    # What a measure counts: the same of two that differ in name, another of two that differ in anything else.
    return repr((measure.select, measure.value, measure.slice, measure.histogram, measure.window))
