"""Unknown: says aloud of how many events a clause's condition could not be told, and why.

By metric at once, by log every so often, and by a record of the judges' state topic, which `seamwatch doctor` and
`seamwatch signals` read: it outlives the process. What a clause makes of such an event is the clause's; here it is
counted, whatever that is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

import structlog

from bus.restoring import read_tables
from seamwatch.broker import Address
from seamwatch.judging.model.facts import Unknown
from streams.counted import CountedDays, Rarely
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

KEY = "\x00unknown"
"""Of the record that holds the counts, in a judge's state."""

Why = Literal["odd", "absent"]


class Doubted(NamedTuple):
    """A clause of which something could not be told of a system, and why."""

    contract: str
    clause: str
    system: str
    why: Why


def others(why: Why) -> Doubted:
    """What stands for all that are not told one by one."""
    return Doubted("", "", "", why)


def doubted(unknowns: Iterable[Unknown]) -> Counter[Doubted]:
    """The same as counts."""
    counts: Counter[Doubted] = Counter()
    for one in unknowns:
        whose = (one.contract, one.clause, one.system)
        if one.odd:
            counts[Doubted(*whose, "odd")] += one.odd
        if one.absent:
            counts[Doubted(*whose, "absent")] += one.absent
    return counts


class UnknownEvents:
    """The side count of events that could not be told. What is odd is logged; what is absent may be as it should be."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._unlogged = Rarely(_log, _log_others, monotonic)

    def add(self, found: Mapping[Doubted, int]) -> None:
        """Count some more."""
        for whose, number in found.items():
            self._metrics.unknown.labels(*whose).inc(number)
            if whose.why == "odd":
                self._unlogged.add(whose, number)

    def tell(self) -> None:
        """Log what was counted since the last time, if that is long enough ago; the most numerous first."""
        self._unlogged.tell()


def _log(whose: Doubted, number: int) -> None:
    log.warning(
        "a clause could not be told, of what events give",
        contract=whose.contract,
        clause=whose.clause,
        system=whose.system,
        events=number,
    )


def _log_others(others: int, number: int) -> None:
    log.warning("clauses could not be told", others=others, events=number)


class UnknownDays(CountedDays[Doubted]):
    """What could not be told of the events of one partition, of today and yesterday (UTC), as a record of the state."""

    key = KEY

    def _name(self, whose: Doubted) -> tuple[str, ...]:
        return whose

    def _of_name(self, name: Sequence[str]) -> Doubted:
        contract, clause, system, why = name
        return Doubted(contract, clause, system, "odd" if why == "odd" else "absent")

    def _others(self, whose: Doubted) -> Doubted:
        return others(whose.why)


def read_unknown(
    bootstrap: Address, judge_state: str, partitions: Collection[int], now: int, patience: float
) -> Counter[Doubted]:
    """What could not be told today and yesterday, as the judges' state tells, ten seconds behind at most.

    Raises UnreachableError when the topic is not read to its end within ``patience`` seconds.
    """
    tables = read_tables(bootstrap, judge_state, partitions, patience, wanted=KEY.__eq__)
    return unknown_in(tables, now)


def unknown_in(tables: Mapping[int, Mapping[str, bytes]], now: int) -> Counter[Doubted]:
    """The same of a judge's state that has been read, by partition."""
    found: Counter[Doubted] = Counter()
    for table in tables.values():
        days = UnknownDays()
        for key, value in table.items():
            # The judge whose record it is says what cannot be read.
            with suppress(ValueError, TypeError):
                days.restore(key, value)
        found += days.of(now)
    return found
