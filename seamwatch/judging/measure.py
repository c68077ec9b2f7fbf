"""What a clause wants measured: named, mergeable aggregates over expressions, as data.

A Measure says what to count; `streams` compiles it to one vectorised pass. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seamwatch.expressions import Expression
from seamwatch.judging.facts import EVIDENCE_LIMIT

Source = Literal["inference", "tool_call", "outcome"]

DECIDED_BY = "decided_by"
"""A column that outcomes have beside their fields: the version that decided, percent-encoded so that it holds no
``/``; NULL unless the decision had to be looked up for what the outcome does not carry."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Fixed bins over [low, high]: values outside fall into the first or last bin."""

    low: float
    high: float
    bins: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of one clause.

    - ``name``: tells the measures of one clause apart; the fact carries it as ``measure``.
    - ``select``: rows that count; None for all. NULL is not selected.
    - ``breach``: selected rows that offend; NULL does not offend (a clause for which NULL offends says so in it).
    - ``value``: numeric expression (mostly a field) whose total, minimum, maximum and histogram are taken; also
      the evidence's ``value``.
    - ``weigh``: numeric expressions of small magnitude (shares), each summed per bin of the histogram, in whole
      billionths so that any order of the rows gives the same sums; a row where one is NULL adds nothing to it.
    - ``label``: string field kept beside each evidence, for the sentence a woken person reads (the tool called).
    - ``slice``: fields whose values, joined by ``/`` (NULL as the empty string), name the slice; () for no slice
      (the fact's slice is None; a single field that is NULL gives None too).
    - ``window``: tumbling, aligned to the UTC epoch, in microseconds.
    - ``only_breaches``: facts without a breach are not worth sending.
    - ``evidence``: how many of the earliest offending rows a fact keeps; None for all of them, for clauses that need
      the order of rows and not their number (then a fact is of a thousand rows at most, and there may be several).
    - ``matching``: names of arguments of a tool call; the evidence's label is then the digest of their values, by
      `seamwatch.judging.calls.matched`.
    - ``distinct``: equal values within a window count once (for retried requests).
    - ``agreed``: the window that was agreed, where offending events are bundled more finely than that; a contract that
      changes the bundles alone goes on with what it has counted.
    """

    source: Source
    breach: Expression | None
    window: int
    select: Expression | None = None
    value: Expression | None = None
    slice: tuple[str, ...] = ()
    histogram: Histogram | None = None
    weigh: tuple[Expression, ...] = ()
    only_breaches: bool = False
    distinct: bool = False
    name: str = ""
    label: str | None = None
    evidence: int | None = EVIDENCE_LIMIT
    matching: tuple[str, ...] = ()
    agreed: int | None = None
