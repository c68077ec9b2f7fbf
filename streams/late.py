"""Late: says aloud how many events came too late to change what was judged: by metric at once, by log every so often.

Such events are recorded like any other; only judging has gone on without them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from seamwatch.judging.late import Late
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
LINES = 20


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
