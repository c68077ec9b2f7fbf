"""Plan: the measures of an estate's clauses, run over frames of events.

Finds what is to be measured of each system that appears, groups systems whose measures are alike, and hands each group
to one `streams.measure.program`. It needs no broker: measure and replay use it alike. It judges nothing.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final, Self, get_args

import polars as pl

from seamwatch.documents import Contract, Estate
from seamwatch.engine.seams import seam_of
from seamwatch.judging.model.facts import Fact, Unknown
from seamwatch.judging.model.measure import DECIDED_BY, Measure, Source, Watch
from streams.measure.counting import Rows, Statistic, Unknowns
from streams.measure.dedup import Dedup, EveryId
from streams.measure.evidence import Position
from streams.measure.groups import coded
from streams.measure.likeness import Own, Parted, parted
from streams.measure.program import Program, columns_of
from streams.measure.sharing import Share, shared_out

SYSTEMS_AHEAD: Final = 100
SYSTEMS_KEPT: Final = 10_000
PROGRAMS_KEPT: Final = 5_000
OF_DECISIONS: Final = frozenset({"score", "cohort"})
"""What an outcome may leave to the decision that it is the outcome of."""
_ALWAYS: Final = frozenset({"event_id", "event_time", "system"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One measure of one clause, as it binds a system."""

    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Watched:
    """One watch of one clause, as it binds a system."""

    contract: str
    clause: str
    watch: Watch


@dataclass(frozen=True, slots=True)
class Bound:
    """What is asked of one record type for some systems; ``alike`` numbers what they have in common with others."""

    bindings: tuple[Binding, ...]
    watched: tuple[Watched, ...]
    parted: Parted
    alike: int


@dataclass(frozen=True, slots=True)
class SystemPlan:
    """What is measured of one system over a stretch of event time, from ``start`` to before ``end`` (micros).

    ``of_decisions`` are the measured columns of outcomes that decisions have too.
    """

    start: int
    end: int
    bound: Mapping[Source, Bound]
    of_decisions: frozenset[str]


class Plan:
    """What an estate measures. ``distinct`` remembers the values of measures that count equal ones once.

    Traffic is measured for what is suspended (clause kind `suspension`) of systems that are held alone (`hold`), and of
    those that a contract may suspend: who suspends nothing pays nothing for it.
    """

    def __init__(self, estate: Estate, distinct: Dedup | None = None) -> None:
        self._distinct = distinct if distinct is not None else EveryId()
        self._alike = _Alike()
        self._unknown: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._systems: OrderedDict[str, tuple[SystemPlan, ...]] = OrderedDict()
        self._held: frozenset[str] = frozenset()
        self.estate = estate
        self.replace_estate(estate)

    def again(self) -> Self:
        """A plan of the same estate that remembers nothing of what was measured."""
        other = copy.copy(self)
        other._distinct, other._unknown = EveryId(), {}  # noqa: SLF001  its own
        other._systems, other._columns = self._systems.copy(), self._columns.copy()  # noqa: SLF001
        return other

    def replace_estate(self, estate: Estate) -> None:
        """Measure by these documents from now on; of systems whose documents are the same, what is known stays."""
        before, self.estate = self.estate, estate
        known = self._systems if before is not estate else {}
        self._systems = OrderedDict((s, plans) for s, plans in known.items() if _is_same(before, estate, s))
        self._agreed: dict[Hashable, Mapping[Source, Bound]] = {}
        self._columns: dict[Source, frozenset[str]] = dict.fromkeys(get_args(Source), _ALWAYS)
        self._joined = False
        self._of_held: dict[Source, frozenset[str]] | None = None
        for plans in self._systems.values():
            self._need(plans)
        # Some declared systems tell most of the columns; one that needs more says so when it is met.
        self.meet(islice(estate.systems, SYSTEMS_AHEAD))

    def hold(self, systems: Collection[str]) -> None:
        """Measure the traffic of these systems, and of no others, for what is suspended from now on."""
        held = frozenset(systems)
        for system in held ^ self._held:
            self._systems.pop(system, None)
        self._held = held

    def columns(self, source: Source) -> frozenset[str]:
        """The columns a frame must have, for the systems met so far."""
        return self._columns[source]

    def joined_columns(self, source: Source) -> frozenset[str]:
        """The columns that a join of outcomes to their decisions needs; none as long as no outcome needs one."""
        if not self._joined or source == "tool_call":
            return frozenset()
        return frozenset({"inference_id"} if source == "outcome" else {"score", "cohort", "version"})

    def held_columns(self, source: Source) -> frozenset[str]:
        """The columns that would be measured as well of systems that are held: a history tells late which those are."""
        if self._of_held is None:
            bound = [self._bind((contract,), "", held=True) for contract in self.estate.all_contracts()
                     if contract.on_suspension]  # fmt: skip
            self._of_held = {
                each: frozenset().union(*(self._alike.columns(one[each]) for one in bound if each in one))
                - {DECIDED_BY}
                for each in get_args(Source)
            }
        return self._of_held[source]

    def meet(self, systems: Iterable[str]) -> None:
        """Take note of systems, so that `columns` covers what is measured of them."""
        for system in systems:
            self.of_system(system)

    def of_system(self, system: str) -> tuple[SystemPlan, ...]:
        """What is measured of a system, over all of time. Those asked for longest ago are forgotten first."""
        known = self._systems.get(system)
        if known is not None:
            self._systems.move_to_end(system)
        else:
            known = self._systems[system] = tuple(self._plans_of(system))
            self._need(known)
            if len(self._systems) > SYSTEMS_KEPT:
                self._systems.popitem(last=False)
        return known

    def unjoined(self, outcomes: pl.DataFrame) -> pl.Series:
        """A mask: True for each outcome that lacks something measured of it, which its decision has."""
        lacking: dict[str, list[str]] = {}
        for system in outcomes["system"].unique():
            for column in frozenset[str]().union(*(each.of_decisions for each in self.of_system(system))):
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
        rows = Rows(frame, coded(frame["system"]), frame["event_time"].to_numpy(), position or _position_columns(frame))
        facts: list[Fact] = []
        for bound, part in self._split(source, rows):
            program, own = self._alike.program(source, bound)
            bindings: dict[tuple[str, int], list[Binding]] = {}
            watched: dict[str, tuple[Watched, ...]] = {}
            for system, those in zip(part.systems.names, bound, strict=True):
                assert system is not None
                watched[system] = those.watched
                for measure, binding in zip(those.parted.index, those.bindings, strict=True):
                    bindings.setdefault((system, measure), []).append(binding)
            statistics, unknowns = program.run(part, self._distinct, own)
            for statistic in statistics:
                facts.extend([_fact(binding, statistic) for binding in bindings[statistic.system, statistic.measure]])
            for unknown in unknowns:
                self._count(watched[unknown.system][unknown.watch], unknown)
        return facts

    def take_unknown(self) -> tuple[Unknown, ...]:
        """What could not be told of the rows since the last call: one for each clause and system."""
        taken, self._unknown = self._unknown, {}
        return tuple(Unknown(*whose, *counts) for whose, counts in taken.items())

    def _count(self, watched: Watched, found: Unknowns) -> None:
        whose = (watched.contract, watched.clause, found.system)
        odd, absent = self._unknown.get(whose, (0, 0))
        self._unknown[whose] = (odd + found.odd, absent + found.absent)

    def _split(self, source: Source, rows: Rows) -> Iterator[tuple[Sequence[Bound], Rows]]:
        """The rows by what is measured of them: systems whose measures are alike, with what binds each of them."""
        first, last = int(rows.times.min()), int(rows.times.max())
        codes: dict[tuple[int, int, int], list[int]] = {}
        binding: dict[tuple[int, int, int], list[Bound]] = {}
        for code, system in enumerate(rows.systems.names):
            assert system is not None
            for each in self.of_system(system):
                those = each.bound.get(source)
                if those is not None and each.start <= last and each.end > first:
                    key = (max(each.start, first), min(each.end, last + 1), those.alike)
                    codes.setdefault(key, []).append(code)
                    binding.setdefault(key, []).append(those)
        shares = [Share(start, end, members) for (start, end, _), members in codes.items()]
        if shares:
            for bound, part in zip(binding.values(), shared_out(rows, shares), strict=True):
                if len(part.times):
                    yield bound, part

    def _plans_of(self, system: str) -> Iterator[SystemPlan]:
        borders = [-(2**62), *self.estate.changes_for(system), 2**62]
        for start, end in pairwise(borders):
            bound = self._measured(self.estate.held_by(system, start), system)
            outcomes = bound.get("outcome")
            measured = self._alike.measured(outcomes) if outcomes is not None else frozenset()
            yield SystemPlan(start, end, bound, measured & OF_DECISIONS)

    def _need(self, plans: Iterable[SystemPlan]) -> None:
        for each in plans:
            self._joined |= bool(each.of_decisions)
            for source, bound in each.bound.items():
                self._columns[source] |= self._alike.columns(bound) - {DECIDED_BY}

    def _measured(self, contracts: tuple[Contract, ...], system: str) -> Mapping[Source, Bound]:
        """What contracts measure of a system. Of its document only the versions count, and whether there is one."""
        declared = self.estate.systems.get(system)
        # Of what nobody declared nobody may suspend anything, whatever is said.
        held = declared is not None and system in self._held
        if declared is not None and declared.versions:
            return self._bind(contracts, system, held=held)
        key = (declared is None, held, *map(id, contracts))
        known = self._agreed.get(key)
        if known is None:
            known = self._agreed[key] = self._bind(contracts, system, held=held)
        return known

    def _bind(self, contracts: tuple[Contract, ...], system: str, *, held: bool) -> Mapping[Source, Bound]:
        bindings: dict[Source, list[Binding]] = {}
        watched: dict[Source, list[Watched]] = {}
        for contract in contracts:
            seam = seam_of(self.estate, contract, system, held=held)
            for clause in contract.clauses:
                for measure in clause.all_measures(seam):
                    bindings.setdefault(measure.source, []).append(
                        Binding(contract.id, contract.version, contract.digest, clause.id, measure)
                    )
                for watch in clause.watches(seam):
                    watched.setdefault(watch.source, []).append(Watched(contract.id, clause.id, watch))
        # Nothing is watched of what is not measured.
        return {source: self._alike.bound(source, found, watched.get(source, ())) for source, found in bindings.items()}


def _is_same(before: Estate, after: Estate, system: str) -> bool:
    if not before.same_approvals(after, system):
        return False
    of = [
        [(id(each.contract), each.valid_from, each.valid_to) for each in estate.covering(system)]
        for estate in (before, after)
    ]
    return of[0] == of[1]


class _Alike:
    """The measures that were met, by what they are alike to, and their programs."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Source, Hashable], int] = {}
        self._columns: list[frozenset[str]] = []
        self._measured: list[frozenset[str]] = []
        self._first: list[Parted] = []
        self._varied: list[bool] = []
        self._programs: OrderedDict[int, Program] = OrderedDict()

    def columns(self, bound: Bound) -> frozenset[str]:
        """The columns that it needs."""
        return self._columns[bound.alike]

    def measured(self, bound: Bound) -> frozenset[str]:
        """Those of them that its measures read."""
        return self._measured[bound.alike]

    def bound(self, source: Source, bindings: Sequence[Binding], watched: Sequence[Watched] = ()) -> Bound:
        """What binds a system, counted to those that it is alike to."""
        known = parted([binding.measure for binding in bindings], [one.watch for one in watched])
        number = self._numbers.setdefault((source, known.alike), len(self._first))
        if number == len(self._first):
            self._first.append(known)
            self._varied.append(False)
            self._columns.append(columns_of((*known.measures, *known.watches)))
            self._measured.append(columns_of(known.measures))
        elif not self._varied[number] and known.own != self._first[number].own:
            # From now on they are columns, whoever comes alone.
            self._varied[number] = True
            self._programs.pop(number, None)
        return Bound(tuple(bindings), tuple(watched), known, number)

    def program(self, source: Source, bound: Sequence[Bound]) -> tuple[Program, Own | None]:
        """The program of systems that are alike, and what is their own where they differ."""
        number = bound[0].alike
        varied = self._varied[number]
        program = self._programs.get(number)
        if program is None:
            program = self._programs[number] = Program(
                source, bound[0].parted.measures, bound[0].parted.watches, varied=varied
            )
            if len(self._programs) > PROGRAMS_KEPT:
                self._programs.popitem(last=False)
        self._programs.move_to_end(number)
        return program, program.own([those.parted for those in bound]) if varied else None


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
