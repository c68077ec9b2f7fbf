"""Reused: says aloud that events came with an id that another event had before, by the producer that sent them.

Only the first event of an id counts; a producer that gives several one id, by mistake or on purpose, hides all others
from every clause. So they are counted by metric at once, by log every so often, and by a record of a state topic, which
`seamwatch doctor` reads: it outlives the process. Such events are recorded like any other.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from uuid import uuid4

import polars as pl
import structlog

from seamwatch.durations import DAY
from seamwatch.errors import StageError
from streams.counted import EVERY_SECONDS, Rarely
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

KEPT = 100
"""How many producers are told one by one, by metric and of a day; the others together."""
OTHERS = "others"
KEY = "\x00reused/"
"""How the keys of these records begin; what follows is the process that counted."""
_SHOWN = 100


class Reused:
    """The events of one process of measure whose ids came before with other content."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        # Of this process alone: it never has to be read back, and nobody else writes it.
        self._key = f"{KEY}{uuid4().hex}"
        self._days: dict[int, Counter[str]] = {}
        self._labels: set[str] = set()
        self._unlogged = Rarely(self._log, _log_others, monotonic)
        self._such_as: dict[str, str] = {}
        self._saved = -EVERY_SECONDS
        self._dirty = False

    def add(self, record_type: str, reused: pl.DataFrame, now: int) -> None:
        """Count some that were found at ``now`` (micros, by the machine's own clock); ``event_id`` and ``producer``."""
        if reused.is_empty():
            return
        today = self._days.setdefault(now // DAY, Counter())
        for producer, event_id, number in reused.group_by("producer").agg(pl.first("event_id"), pl.len()).iter_rows():
            name = producer[:_SHOWN]
            today[name if name in today or len(today) < KEPT else OTHERS] += number
            self._unlogged.add(name, number)
            self._such_as.setdefault(name, event_id)
            if len(self._labels) < KEPT:
                self._labels.add(name)
            self._metrics.reused.labels(record_type, name if name in self._labels else OTHERS).inc(number)
        self._days = {day: counts for day, counts in self._days.items() if now // DAY - day <= 1}
        self._dirty = True

    def tell(self) -> None:
        """Log what was counted since the last time, if that is long enough ago; the most numerous first."""
        if self._unlogged.tell():
            self._such_as.clear()

    def _log(self, producer: str, number: int) -> None:
        log.warning(
            "events came with an id that another event had before: only the first of each id counts",
            producer=producer,
            events=number,
            such_as=self._such_as[producer],
        )

    def saved(self) -> dict[str, bytes]:
        """What changed, for the state topic; at most every ten seconds."""
        if not self._dirty or self._monotonic() - self._saved < EVERY_SECONDS:
            return {}
        self._dirty, self._saved = False, self._monotonic()
        return {self._key: json.dumps([(day, dict(counts)) for day, counts in self._days.items()]).encode()}


def _log_others(producers: int, number: int) -> None:
    log.warning("so did those of others", producers=producers, events=number)


def reused_in(tables: Mapping[int, Mapping[str, bytes]], now: int) -> Counter[str]:
    """How many such events each producer sent today and yesterday, as measure tells, ten seconds behind at most.

    Raises StageError when a record of them cannot be read.
    """
    found: Counter[str] = Counter()
    for key, value in ((key, value) for table in tables.values() for key, value in table.items()):
        if not key.startswith(KEY):
            continue
        try:
            days = [
                (int(day), {str(producer): int(n) for producer, n in counts.items()})
                for day, counts in json.loads(value)
            ]
        except (ValueError, TypeError, AttributeError) as error:
            raise StageError(f"the record {key!r} of them cannot be read: {error}") from error
        for day, counts in days:
            if now // DAY - day <= 1:
                found.update(counts)
    return found
