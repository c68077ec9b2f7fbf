"""Plan: the measures of an estate's clauses, run over frames of events.

Finds what is to be measured of each system that appears, groups systems that share their measures, and hands each
group to one `streams.program`. It needs no broker: measure and replay use it alike. It judges nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import get_args

import numpy as np
import polars as pl

from seamwatch.documents import Estate
from seamwatch.judging.facts import Fact
from seamwatch.judging.measure import DECIDED_BY, Measure, Source
from seamwatch.judging.seams import Seams
from streams.dedup import Dedup, EveryId
from streams.evidence import Position
from streams.groups import Coded, coded
from streams.program import Program, Rows, Statistic, columns_of

SYSTEMS_AHEAD = 100
SYSTEMS_KEPT = 10_000
PROGRAMS_KEPT = 1_000
OF_DECISIONS = frozenset({"score", "cohort"})
"""What an outcome may leave to the decision that it is the outcome of."""
_ALWAYS = frozenset({"event_id", "event_time", "system"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One measure of one clause, as it binds a system."""

    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Term:
    """What is measured of one system over a stretch of event time, from ``start`` to before ``end`` (micros).

    ``of_decisions`` are the measured columns of outcomes that decisions have too.
    """

    start: int
    end: int
    bindings: Mapping[Source, tuple[Binding, ...]]
    of_decisions: frozenset[str]

    def measures(self, source: Source) -> tuple[Measure, ...]:
        """The measures of one record type, in the order of the bindings."""
        return tuple(binding.measure for binding in self.bindings.get(source, ()))


class Plan:
    """What an estate measures. ``distinct`` remembers the values of measures that count equal ones once."""

    def __init__(self, estate: Estate, distinct: Dedup | None = None) -> None:
        self._distinct = distinct if distinct is not None else EveryId()
        self._systems: OrderedDict[str, tuple[Term, ...]] = OrderedDict()
        self._programs: OrderedDict[tuple[Source, tuple[Measure, ...]], Program] = OrderedDict()
        self._columns: dict[Source, frozenset[str]] = {}
        self.replace_estate(estate)

    def replace_estate(self, estate: Estate) -> None:
        """Measure by these documents from now on."""
        self._estate = estate
        self._seams = Seams(estate)
        self._systems.clear()
        self._columns = dict.fromkeys(get_args(Source), _ALWAYS)
        self._joined = False
        # Some declared systems tell most of the columns; one that needs more says so when it is met.
        self.meet(islice(estate.systems, SYSTEMS_AHEAD))

    def columns(self, source: Source) -> frozenset[str]:
        """The columns a frame must have, for the systems met so far."""
        return self._columns[source]

    def joined_columns(self, source: Source) -> frozenset[str]:
        """The columns that a join of outcomes to their decisions needs; none as long as no outcome needs one."""
        if not self._joined or source == "tool_call":
            return frozenset()
        return frozenset({"inference_id"} if source == "outcome" else {"score", "cohort", "version"})

    def meet(self, systems: Iterable[str]) -> None:
        """Take note of systems, so that `columns` covers what is measured of them."""
        for system in systems:
            self.terms(system)

    def terms(self, system: str) -> tuple[Term, ...]:
        """What is measured of a system, over all of time. Those asked for longest ago are forgotten first."""
        known = self._systems.get(system)
        if known is not None:
            self._systems.move_to_end(system)
        else:
            known = self._systems[system] = tuple(_terms(self._estate, self._seams, system))
            for term in known:
                for source in term.bindings:
                    self._columns[source] |= columns_of(term.measures(source)) - {DECIDED_BY}
                self._joined |= bool(term.of_decisions)
            if len(self._systems) > SYSTEMS_KEPT:
                self._systems.popitem(last=False)
        return known

    def unjoined(self, outcomes: pl.DataFrame) -> pl.Series:
        """A mask: True for each outcome that lacks something measured of it, which its decision has."""
        lacking: dict[str, list[str]] = {}
        for system in outcomes["system"].unique():
            for column in frozenset[str]().union(*(term.of_decisions for term in self.terms(system))):
                lacking.setdefault(column, []).append(system)
        parts = [pl.col("system").is_in(systems) & pl.col(column).is_null() for column, systems in lacking.items()]
        nothing = pl.repeat(value=False, n=pl.len())
        return outcomes.select(pl.any_horizontal(nothing, *parts).alias("unjoined"))["unjoined"]

    def facts(self, source: Source, frame: pl.DataFrame, position: Position | None = None) -> list[Fact]:
        """The facts of one record type's rows: one for each binding, slice and window that is worth saying.

        ``frame`` has at least `columns` and no repeated event; outcomes have `DECIDED_BY` where they were joined.
        Evidence says where events lie by ``position`` of the row, else by columns ``__topic``, ``__partition`` and
        ``__offset``, else not at all.
        """
        if frame.is_empty():
            return []
        if source == "outcome" and DECIDED_BY not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(DECIDED_BY))
        systems = coded(frame["system"])
        rows = Rows(frame, systems, frame["event_time"].to_numpy(), position or _position_columns(frame))
        facts: list[Fact] = []
        for program, bound, part in self._split(source, rows):
            told: dict[tuple[str, int], list[Binding]] = {}
            for system, those in bound.items():
                for measure, binding in zip(program.index, those, strict=True):
                    told.setdefault((system, measure), []).append(binding)
            for statistic in program.run(part, self._distinct):
                bindings = told[statistic.system, statistic.measure]
                facts.extend([_fact(binding, statistic) for binding in bindings])
        return facts

    def _split(self, source: Source, rows: Rows) -> Iterator[tuple[Program, dict[str, tuple[Binding, ...]], Rows]]:
        """The rows by what is measured of them: a program, its bindings by system, the rows of these systems."""
        first, last = int(rows.times.min()), int(rows.times.max())
        shares: dict[tuple[int, int, tuple[Measure, ...]], dict[str, tuple[Binding, ...]]] = {}
        numbers: dict[tuple[int, int, tuple[Measure, ...]], list[int]] = {}
        for number, system in enumerate(rows.systems.names):
            assert system is not None
            for term in self.terms(system):
                if term.start <= last and term.end > first and term.bindings.get(source):
                    key = (max(term.start, first), min(term.end, last + 1), term.measures(source))
                    shares.setdefault(key, {})[system] = term.bindings[source]
                    numbers.setdefault(key, []).append(number)
        for key, bound in shares.items():
            start, end, measures = key
            whole = len(bound) == len(rows.systems.names) and start == first and end == last + 1
            part = rows if whole else _part(rows, numbers[key], start, end)
            if len(part.times):
                yield self._program(source, measures), bound, part

    def _program(self, source: Source, measures: tuple[Measure, ...]) -> Program:
        program = self._programs.get((source, measures))
        if program is not None:
            self._programs.move_to_end((source, measures))
        else:
            program = self._programs[source, measures] = Program(source, measures)
            if len(self._programs) > PROGRAMS_KEPT:
                self._programs.popitem(last=False)
        return program


def _terms(estate: Estate, seams: Seams, system: str) -> Iterator[Term]:
    borders = [-(2**62), *estate.changes_for(system), 2**62]
    for start, end in pairwise(borders):
        bindings: dict[Source, list[Binding]] = {}
        for contract in estate.contracts_for(system, start):
            for clause_id, bound in seams.covering(contract, system).items():
                for measure in bound.clause.measures(bound.seam):
                    bindings.setdefault(measure.source, []).append(
                        Binding(contract.id, contract.version, contract.digest, clause_id, measure)
                    )
        measured = columns_of([binding.measure for binding in bindings.get("outcome", ())])
        yield Term(start, end, {source: tuple(found) for source, found in bindings.items()}, measured & OF_DECISIONS)


def _part(rows: Rows, systems: list[int], start: int, end: int) -> Rows:
    wanted = np.zeros(len(rows.systems.names), np.bool_)
    wanted[systems] = True
    index = np.flatnonzero(wanted[rows.systems.codes] & (rows.times >= start) & (rows.times < end))
    chosen = Coded(rows.systems.codes[index], rows.systems.names)
    whole = rows.position
    position = None if whole is None else lambda row: whole(int(index[row]))
    return Rows(rows.frame[index], chosen, rows.times[index], position)


def _position_columns(frame: pl.DataFrame) -> Position | None:
    if "__offset" not in frame.columns:
        return None
    columns = (frame["__topic"], frame["__partition"], frame["__offset"])
    return lambda row: (columns[0][row], columns[1][row], columns[2][row])


def _fact(binding: Binding, found: Statistic) -> Fact:
    return Fact(
        binding.contract,
        binding.contract_version,
        binding.contract_digest,
        binding.clause,
        found.system,
        found.slice,
        found.window_start,
        binding.measure.window,
        measure=binding.measure.name,
        **found.numbers,
    )
