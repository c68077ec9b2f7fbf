"""What a clause wants measured: named, mergeable aggregates over expressions, as data.

A Measure says what to count; `streams` compiles it to one vectorised pass. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.expressions import Expression
from seamwatch.judging.model.facts import EVIDENCE_LIMIT

Source = Literal["inference", "tool_call", "outcome"]

Answer = Literal["true", "false", "odd", "missing", "absent"]
"""What a condition says of an event. The last three are its NULL, by its reason (`seamwatch.expressions.typed`): where
something is absent, *missing* says that an argument of the call is, *absent* that a field or attribute has no value."""

HOLDS: Final[frozenset[Answer]] = frozenset({"true"})
NULL: Final[frozenset[Answer]] = frozenset({"odd", "missing", "absent"})
FAILS: Final[frozenset[Answer]] = NULL | {"false"}
SELECTED: Final[frozenset[Answer]] = frozenset({"true", "odd"})
"""What `select` counts. An event of which it cannot be told for what is given in it is looked at, or a value of another
kind would be a way round the clause; one that gives nothing is not."""

DECIDED_BY = "decided_by"
"""A column that outcomes have beside their fields: the version that decided, percent-encoded so that it holds no
``/``; NULL unless the decision had to be looked up for what the outcome does not carry."""

UNJUDGED: Final = "unjudged"
"""Begins the name of the measures of all events of a clause, of which those offend that it cannot judge."""
WAITING: Final = "/waiting"
"""Ends the name of that of decisions whose outcomes a clause looks at."""
COHORTS: Final = "/cohorts"
"""Ends the name of that of events by cohort."""


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
    - ``select``: rows that count, by `SELECTED`; None for all.
    - ``breach``: a condition that tells which selected rows offend: those of which it says one of ``offends``.
    - ``value``: numeric expression (mostly a field) whose total, minimum, maximum and histogram are taken; also
      the evidence's ``value``.
    - ``weigh``: numeric expressions of small magnitude (shares), each summed per bin of the histogram, in whole
      billionths so that any order of the rows gives the same sums; a row where one is NULL adds nothing to it.
    - ``label``: string field kept beside each evidence, for the sentence a woken person reads (the tool called). Where
      NULL offends, the label of the earliest in a group says why it is NULL (`labelled`).
    - ``slice``: fields whose values, joined by ``/`` (NULL as the empty string), name the slice; () for no slice
      (the fact's slice is None; a single field that is NULL gives None too).
    - ``window``: tumbling, aligned to the UTC epoch, in microseconds.
    - ``only_breaches``: facts without a breach are not worth sending.
    - ``evidence``: how many of the earliest offending rows a fact keeps; None for all of them, for clauses that need
      the order of rows and not their number (then a fact is of a thousand rows at most, and there may be several).
    - ``matching``: names of arguments of a tool call; the evidence's label is then the digest of their values, by
      `seamwatch.judging.patterns.calls.matched`.
    - ``distinct``: equal values within a window count once (for retried requests).
    - ``missing``: conditions of which each is counted among the selected rows: mostly that a field is absent.
    - ``left_out``: why rows that ``select`` does not count are left out, the first that holds counting; the fact has
      them as ``missing``. A measure has one or the other.
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
    offends: frozenset[Answer] = HOLDS
    agreed: int | None = None
    missing: tuple[Expression, ...] = ()
    left_out: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """A condition of a clause of which it is told how often it was NULL, of the rows that ``select`` counts.

    ``holds``: it is told how often the condition holds instead, for it says that what the clause looks at cannot be
    used (``odd``) or is not given (``absent``).
    """

    source: Source
    condition: Expression
    select: Expression | None = None
    holds: Literal["odd", "absent"] | None = None


def labelled(label: str, why: str) -> str:
    """A label with why it cannot be told what an event did."""
    return f"{label}{_APART}{why}" if why else label


def label_of(shown: str | None) -> tuple[str, str]:
    """The label, and why it cannot be told ("" when it can)."""
    label, apart, why = (shown or "").rpartition(_APART)
    return (label, why) if apart else (why, "")


_APART: Final = "\x1f"
"""No name of an argument has it, so that none is in the reason."""
