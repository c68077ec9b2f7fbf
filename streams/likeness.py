"""Likeness: what the measures of different clauses have in common when they differ by their literals alone.

Systems whose measures are alike share a program, however many contracts there are: their limits, windows and the ends
of their histograms are columns then, told by the system. Compares only; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from seamwatch.expressions import Expression
from seamwatch.expressions.shapes import Given
from seamwatch.judging.measure import Measure
from streams.groups import Integers

WINDOW, EVIDENCE, LOW, HIGH, EXPRESSIONS = range(5)
"""Where a measure's literals stand among its own; those of its expressions come last, in the order of `read_by`."""

_NOTHING: Final = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Parted:
    """Measures in two parts: ``alike``, which many may have in common, and the literals that are their ``own``.

    Measures that differ in name only are one; ``measures`` has each once, ``index`` says which of them each is.
    """

    alike: Hashable
    own: tuple[Given, ...]
    measures: tuple[Measure, ...]
    index: tuple[int, ...]


def parted(measures: Sequence[Measure]) -> Parted:
    """What the measures of one record type are alike to, and what is their own."""
    found: dict[tuple[Hashable, tuple[Given, ...]], int] = {}
    index: list[int] = []
    kept: list[Measure] = []
    for measure in measures:
        known = _parted(measure)
        if known not in found:
            found[known] = len(found)
            kept.append(measure)
        index.append(found[known])
    alike = (tuple(index), tuple([known[0] for known in found]))
    return Parted(alike, tuple(chain.from_iterable([known[1] for known in found])), tuple(kept), tuple(index))


def read_by(measure: Measure) -> tuple[Expression, ...]:
    """The expressions that a measure reads, always in this order."""
    expressions = (measure.select, measure.breach, measure.value, *(measure.weigh if measure.histogram else ()))
    return tuple(expression for expression in expressions if expression is not None)


def varies(expression: Expression) -> bool:
    """Whether its literals may stand in columns: one that reads nothing is settled before there are any."""
    return bool(expression.shape.count and expression.shape.names)


def starts_of(measures: Sequence[Measure]) -> tuple[int, ...]:
    """Where the literals of each measure begin."""
    counts = [EXPRESSIONS + sum(e.shape.count for e in read_by(measure) if varies(e)) for measure in measures]
    return tuple(accumulate([0, *counts]))[:-1]


def _parted(measure: Measure) -> tuple[Hashable, tuple[Given, ...]]:
    histogram = measure.histogram
    ends = _NOTHING if histogram is None else (histogram.low, histogram.high)
    own: list[Given] = [measure.window, measure.evidence or 0, *ends]
    forms: list[Hashable] = []
    for expression in (measure.select, measure.breach, measure.value, *(measure.weigh if histogram else ())):
        if expression is None:
            forms.append(None)
        elif varies(expression):
            forms.append(expression.shape)
            own += expression.literals
        else:
            # Where there is none to vary, the shape says all.
            forms.append(expression if expression.shape.count else expression.shape)
    alike = (
        measure.source, tuple(forms), measure.slice, None if histogram is None else histogram.bins,
        measure.only_breaches, measure.distinct, measure.label, measure.evidence is None, measure.matching,
    )  # fmt: skip
    return alike, tuple(own)


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
