"""Likeness: what the measures of different clauses have in common when they differ by their literals alone.

Systems whose measures are alike share a program, however many contracts there are: their limits, windows and the ends
of their histograms are columns then, told by the system. Compares only; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from seamwatch.expressions import Expression
from seamwatch.expressions.shapes import Given
from seamwatch.judging.model.measure import Measure, Watch
from streams.measure.groups import Integers

WINDOW, EVIDENCE, LOW, HIGH, EXPRESSIONS = range(5)
"""Where a measure's literals stand among its own; those of its expressions come last, in the order of `read_by`."""

LITERAL: Final = "__literal_"
"""Begins the names of the columns that hold them; no record type has a field of such a name."""

_NOTHING: Final = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Read:
    """What is computed of every row. Of the expression's literals ``own`` are each system's own, from ``at`` on."""

    expression: Expression
    at: int | None = None
    own: int = 0

    @property
    def literals(self) -> Callable[[int], pl.Expr] | None:
        """The column of each of its literals, where they are each system's own."""
        at = self.at
        return None if at is None else lambda place: pl.col(f"{LITERAL}{at + place}")


@dataclass(frozen=True, slots=True)
class Parted:
    """Measures and watches in two parts: ``alike``, which many may have in common, and the literals of their ``own``.

    Measures that differ in name only are one; ``measures`` has each once, ``index`` says which of them each is.
    """

    alike: Hashable
    own: tuple[Given, ...]
    measures: tuple[Measure, ...]
    index: tuple[int, ...]
    watches: tuple[Watch, ...] = ()


def parted(measures: Sequence[Measure], watches: Sequence[Watch] = ()) -> Parted:
    """What the measures and watches of one record type are alike to, and what is their own."""
    found: dict[tuple[Hashable, tuple[Given, ...]], int] = {}
    index: list[int] = []
    kept: list[Measure] = []
    for measure in measures:
        known = _parted(measure)
        if known not in found:
            found[known] = len(found)
            kept.append(measure)
        index.append(found[known])
    watched = [_part(_asked_by(watch)) for watch in watches]
    forms = tuple([(watch.source, watch.holds, form) for watch, (form, _) in zip(watches, watched, strict=True)])
    alike = (tuple(index), tuple([known[0] for known in found]), forms)
    own = chain(*(known[1] for known in found), *(theirs for _, theirs in watched))
    return Parted(alike, tuple(own), tuple(kept), tuple(index), tuple(watches))


def conditions_of(one: Measure | Watch) -> Iterator[Expression]:
    """The conditions that a measure or watch asks of rows."""
    yield from () if one.select is None else (one.select,)
    condition = one.breach if isinstance(one, Measure) else one.condition
    yield from () if condition is None else (condition,)
    yield from (*one.missing, *one.left_out) if isinstance(one, Measure) else ()


def read_by(one: Measure | Watch) -> tuple[Expression, ...]:
    """The expressions that a measure or watch reads, always in this order."""
    return tuple(expression for expression in _asked_by(one) if expression is not None)


def varies(expression: Expression) -> bool:
    """Whether its literals may stand in columns: one that reads nothing is settled before there are any."""
    return bool(expression.shape.count and expression.shape.names)


def starts_of(asked: Iterable[Measure | Watch]) -> tuple[int, ...]:
    """Where the literals of each begin, of measures and the watches behind them."""
    counts = [
        (EXPRESSIONS if isinstance(one, Measure) else 0) + sum(e.shape.count for e in read_by(one) if varies(e))
        for one in asked
    ]
    return tuple(accumulate([0, *counts]))[:-1]


def _asked_by(one: Measure | Watch) -> tuple[Expression | None, ...]:
    if isinstance(one, Watch):
        return one.select, one.condition
    weigh = one.weigh if one.histogram else ()
    return one.select, one.breach, one.value, *weigh, *one.missing, *one.left_out


def _part(expressions: Iterable[Expression | None]) -> tuple[tuple[Hashable, ...], list[Given]]:
    """What expressions have in common with others, and their literals."""
    forms: list[Hashable] = []
    own: list[Given] = []
    for expression in expressions:
        if expression is None:
            forms.append(None)
        elif varies(expression):
            forms.append(expression.shape)
            own += expression.literals
        else:
            # Where there is none to vary, the shape says all.
            forms.append(expression if expression.shape.count else expression.shape)
    return tuple(forms), own


def _parted(measure: Measure) -> tuple[Hashable, tuple[Given, ...]]:
    histogram = measure.histogram
    ends = _NOTHING if histogram is None else (histogram.low, histogram.high)
    forms, literals = _part(_asked_by(measure))
    alike = (
        measure.source, forms, measure.slice, None if histogram is None else histogram.bins,
        measure.only_breaches, measure.distinct, measure.label, measure.evidence is None, measure.matching,
        measure.offends, len(measure.missing), len(measure.left_out),
    )  # fmt: skip
    return alike, (measure.window, measure.evidence or 0, *ends, *literals)


@dataclass(frozen=True)
class Own:
    """The literals of some systems that are alike, each system's at its code.

    ``parts`` are the systems'; ``starts`` says where the literals of each measure begin.
    """

    parts: Sequence[Parted]
    starts: tuple[int, ...]

    def measures(self, measure: int) -> list[Measure]:
        """One of the measures, as each system has it."""
        return [part.measures[measure] for part in self.parts]

    def columns(self, places: Sequence[int], codes: Integers) -> Mapping[int, pl.Series]:
        """The literals at some places, of each of the rows with these systems."""
        return {place: pl.Series([part.own[place] for part in self.parts]).gather(codes) for place in places}

    def window(self, measure: int) -> int | Integers:
        """A measure's window (micros), or that of each system where they differ."""
        windows = self._numbers(measure, WINDOW).astype(np.int64)
        return int(windows[0]) if (windows == windows[0]).all() else windows

    def evidence(self, measure: int) -> Sequence[int]:
        """How many offending rows each system's facts keep, of a measure that does not keep all."""
        return [int(limit) for limit in self._numbers(measure, EVIDENCE)]

    def histogram(self, measure: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where each system's histogram of a measure begins and ends."""
        return self._numbers(measure, LOW), self._numbers(measure, HIGH)

    def _numbers(self, measure: int, place: int) -> npt.NDArray[np.float64]:
        at = self.starts[measure] + place
        return np.array([part.own[at] for part in self.parts], dtype=np.float64)
