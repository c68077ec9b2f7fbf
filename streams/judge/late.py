"""Late: says aloud how many events came too late to change what was judged.

By metric at once, by log every so often, and by a record of the state topic, which `seamwatch doctor` reads: it
outlives the process. Such events are recorded like any other; only judging has gone on without them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from seamwatch.engine.late import Late
from streams.counted import CountedDays, Rarely
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

OTHERS = Late("", "", "")
KEY = "\x00late"
"""The key of its record."""


class LateEvents:
    """The side count of events that came too late, by contract, clause and system."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._unlogged = Rarely(_log, _log_others, monotonic)

    def add(self, late: Mapping[Late, int]) -> None:
        """Count some more."""
        for whose, number in late.items():
            self._metrics.too_late.labels(whose.contract, whose.clause, whose.system).inc(number)
            self._unlogged.add(whose, number)

    def tell(self) -> None:
        """Log what was counted since the last time, if that is long enough ago; the most numerous first."""
        self._unlogged.tell()


def _log(whose: Late, number: int) -> None:
    log.warning(
        "events came too late to be judged",
        contract=whose.contract,
        clause=whose.clause,
        system=whose.system,
        events=number,
    )


def _log_others(others: int, number: int) -> None:
    log.warning("events came too late to be judged", others=others, events=number)


class LateDays(CountedDays[Late]):
    """The events of one partition that came too late, of today and yesterday (UTC), as a record of the state topic."""

    key = KEY

    def _name(self, whose: Late) -> tuple[str, ...]:
        return (whose.contract, whose.clause, whose.system)

    def _of_name(self, name: Sequence[str]) -> Late:
        return Late(*name)

    def _others(self, whose: Late) -> Late:  # noqa: ARG002
        return OTHERS


def late_in(tables: Mapping[int, Mapping[str, bytes]], now: int) -> Counter[Late]:
    """How many events came too late today and yesterday, as the judges' state tells, ten seconds behind at most.

    A record that cannot be read is passed over: the judge that it is of says so (`streams.unreadable`).
    """
    found: Counter[Late] = Counter()
    for table in tables.values():
        days = LateDays()
        if (value := table.get(KEY)) is not None:
            with suppress(ValueError, TypeError):
                days.restore(KEY, value)
        found += days.of(now)
    return found
