"""Asking: the clauses in force, what was counted of each, and what that makes. A pass a contract and kind of event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seamwatch.durations import HOUR, SECOND
from sinks.store.questions.burn.agreed import Agreed, Known, bound, in_force, systems
from sinks.store.questions.burn.counted import Count, Counting, counted, newest, oldest, open_shares, starts
from sinks.store.questions.burn.rates import HOURS, VERDICTS, Burn, Window, rated
from sinks.store.questions.rows import Micros

if TYPE_CHECKING:
    from seamwatch.clauses.freshness import Freshness
    from seamwatch.judging.model.tolerance import Tolerance
    from sinks.store.client import Store

OpenShares = Mapping[tuple[str, str, str], tuple[float, ...]]


def burning(
    store: Store,
    now: Micros,
    contract: str | None = None,
    system: str | None = None,
    hidden: frozenset[str] = frozenset(),
) -> list[Burn]:
    """Every clause in force and system that it binds, the gravest first; of one contract or system, or all.

    ``hidden``: fields of events that who asks may not read; clauses that read them are not counted, and say so.
    """
    agreed = in_force(store, now)
    binds = bound(agreed, systems(store, now - HOURS[-1] * HOUR, now))
    shares = open_shares(store, now)
    found: list[Burn] = []
    for name in dict.fromkeys(one.contract for one in agreed if contract in (None, one.contract)):
        bind = tuple(each for each in binds[name] if system in (None, each.system))
        if bind:
            clauses = [one for one in agreed if one.contract == name]
            found += _of_contract(store, _Asked(clauses, bind, now, shares, hidden))
    return sorted(found, key=lambda one: (VERDICTS.index(one.verdict), one.contract, one.clause, one.system))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The clauses of one contract version, the systems that it binds, and for how long episodes were open."""

    clauses: Sequence[Agreed]
    known: tuple[Known, ...]
    now: Micros
    shares: OpenShares
    hidden: frozenset[str]

    def systems(self, *, datasets: bool) -> tuple[str, ...]:
        """The data sets among them, or what decides and calls."""
        return tuple(one.system for one in self.known if one.is_dataset == datasets)

    @property
    def begins(self) -> tuple[Micros, ...]:
        return starts(self.now, self.clauses[0].valid_from)

    def nothing(self, one: Agreed, system: str) -> Burn:
        """The clause while nothing is counted of it."""
        windows = zip(HOURS, self.begins, self._open(one, system), strict=True)
        spent = tuple(Window(hours, since, open_share=share) for hours, since, share in windows)
        return Burn(one.contract, one.version, one.clause, one.kind, system, None, "none", None, None, spent)

    def _open(self, one: Agreed, system: str) -> tuple[float, ...]:
        return self.shares.get((one.contract, one.clause, system), (0.0,) * len(HOURS))


def _of_contract(store: Store, asked: _Asked) -> Iterator[Burn]:
    from seamwatch.clauses.freshness import Freshness

    counting: dict[str, Counting] = {}
    by_name = {one.clause: one for one in asked.clauses}
    for one in asked.clauses:
        clause = one.read()
        tolerance = None if clause is None else clause.tolerance()
        if clause is None:
            yield from (replace(asked.nothing(one, each.system), basis="unreadable") for each in asked.known)
        elif isinstance(clause, Freshness):
            yield from _aged(store, asked, one, clause)
        elif tolerance is None:
            yield from (asked.nothing(one, each.system) for each in asked.known)
        elif (counted_so := Counting(tolerance, clause.where)).reads & asked.hidden:
            nothing = (asked.nothing(one, system) for system in asked.systems(datasets=False))
            yield from (replace(each, basis="hidden", tolerated=tolerance.share) for each in nothing)
        else:
            counting[one.clause] = counted_so
    yield from _counted(store, asked, by_name, counting)


def _counted(
    store: Store, asked: _Asked, by_name: Mapping[str, Agreed], counting: Mapping[str, Counting]
) -> Iterator[Burn]:
    seen: set[tuple[str, str]] = set()
    systems = asked.systems(datasets=False)
    if not systems:
        return
    for name, system, cohort, counts in counted(store, systems, counting, asked.begins, asked.now):
        seen.add((name, system))
        yield _spent(replace(asked.nothing(by_name[name], system), cohort=cohort), counting[name].tolerance, counts)
    nothing = (Count(0, 0, 0),) * len(HOURS)
    for name, one in counting.items():
        for system in systems:
            if (name, system) not in seen:
                yield _spent(asked.nothing(by_name[name], system), one.tolerance, nothing)


def _spent(one: Burn, tolerance: Tolerance, counts: Sequence[Count]) -> Burn:
    windows = []
    for window, count in zip(one.windows, counts, strict=True):
        told = replace(window, events=count.events, bad=count.bad, untold=count.untold)
        windows.append(replace(told, burn=rated(told, tolerance.share, tolerance.fewest)))
    return replace(one, basis="share", tolerated=tolerance.share, windows=tuple(windows))


def _aged(store: Store, asked: _Asked, one: Agreed, clause: Freshness) -> Iterator[Burn]:
    """How much of the age that is agreed is used: now of a data set, over the last hour of the data of decisions."""
    limit, of_data = clause.max_lag / SECOND, clause.of == "dataset"
    systems = asked.systems(datasets=of_data)
    if of_data:
        found = newest(store, systems, clause.max_lag, clause.where, asked.now)
        ages = {system: (asked.now - at) / SECOND for system, at in found.items()}
    else:
        ages = oldest(store, systems, clause.where, asked.begins[0], asked.now)
    for system in systems:
        used = ages[system] / limit if system in ages else None
        yield replace(asked.nothing(one, system), basis="age", tolerated=limit, used=used)
