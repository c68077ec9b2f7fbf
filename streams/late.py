"""Late: says aloud how many events came too late to change what was judged.

By metric at once, by log every so often, and by a record of the state topic, which `seamwatch doctor` reads: it
outlives the process. Such events are recorded like any other; only judging has gone on without them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from seamwatch.durations import DAY
from seamwatch.judging.late import Late
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
LINES = 20
KEPT = 100
"""How many clauses and systems of a day are told one by one."""
OTHERS = Late("", "", "")
KEY = "\x00late"
"""The key of its record."""


class LateEvents:
    """The side count of events that came too late, by contract, clause and system."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._untold: Counter[Late] = Counter()
        self._told = -EVERY_SECONDS

    def add(self, late: Mapping[Late, int]) -> None:
        """Count some more."""
        for whose, number in late.items():
            self._metrics.too_late.labels(whose.contract, whose.clause, whose.system).inc(number)
            self._untold[whose] += number

    def tell(self) -> None:
        """Log what was counted since the last time, if that is long enough ago; the most numerous first."""
        if not self._untold or self._monotonic() - self._told < EVERY_SECONDS:
            return
        self._told = self._monotonic()
        for whose, number in self._untold.most_common(LINES):
            log.warning(
                "events came too late to be judged",
                contract=whose.contract,
                clause=whose.clause,
                system=whose.system,
                events=number,
            )
        if len(self._untold) > LINES:
            rest = sum(self._untold.values()) - sum(number for _, number in self._untold.most_common(LINES))
            log.warning("events came too late to be judged", others=len(self._untold) - LINES, events=rest)
        self._untold.clear()


class LateDays:
    """The events of one partition that came too late, of today and yesterday (UTC), as a record of the state topic."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._days: dict[int, Counter[Late]] = {}
        self._dirty = False
        self._saved = -EVERY_SECONDS

    def add(self, late: Mapping[Late, int], now: int) -> None:
        """Count some that were found at ``now`` (micros, by the machine's own clock)."""
        if not late:
            return
        today = now // DAY
        counted = self._days.setdefault(today, Counter())
        for whose, number in late.items():
            counted[whose if whose in counted or len(counted) < KEPT else OTHERS] += number
        self._days = {day: counts for day, counts in self._days.items() if today - day <= 1}
        self._dirty = True

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; False when it is another's. Raises ValueError or TypeError."""
        if key != KEY:
            return False
        self._days = {day: Counter({Late(*whose): n for *whose, n in rows}) for day, rows in json.loads(value)}
        return True

    def saved(self) -> dict[str, bytes]:
        """What changed, for the state topic; at most every ten seconds."""
        if not self._dirty or self._monotonic() - self._saved < EVERY_SECONDS:
            return {}
        self._dirty, self._saved = False, self._monotonic()
        days = [
            (day, [(whose.contract, whose.clause, whose.system, number) for whose, number in counts.items()])
            for day, counts in self._days.items()
        ]
        return {KEY: json.dumps(days).encode()}

    def of(self, now: int) -> Counter[Late]:
        """How many were found today and yesterday."""
        recent = (counts for day, counts in self._days.items() if now // DAY - day <= 1)
        return sum(recent, Counter[Late]())


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
