"""Clock watch: says aloud that the judges' event time stands, and which input partitions hold it.

As long as it does no silence is noticed. By metric at once, by log after a minute and then once a minute. Decides
nothing: where the time stands is the judges' own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from seamwatch.durations import SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.watermarks import CLOCK_KEY, LONG_AGO, MARKS_KEY, Watermarks
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Watermark
from streams.metrics import Metrics

log = structlog.get_logger(__name__)

STANDING_SECONDS = 60.0
NAMED = 5


class ClockWatch:
    """Watches the judges of one process."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._moved: dict[int, tuple[int, float]] = {}
        self._began: dict[int, int] = {}
        self._said = -STANDING_SECONDS

    def look(self, judges: Mapping[int, Judge]) -> None:
        """Look at where their time stands; to be called after every round."""
        at, behind = self._monotonic(), 0
        self._moved = {number: moved for number, moved in self._moved.items() if number in judges}
        for number, judge in judges.items():
            now, lowest = judge.clock
            if now == LONG_AGO:
                continue
            # Before anything is known of all partitions, time stands since the first word.
            began = self._began.setdefault(number, now)
            behind = max(behind, now - max(lowest, began if lowest == LONG_AGO else lowest))
            if self._moved.get(number, (None, 0.0))[0] != lowest:
                self._moved[number] = lowest, at
        self._metrics.clock_behind.set(behind / SECOND)
        standing = {number: at - since for number, (_, since) in self._moved.items() if at - since >= STANDING_SECONDS}
        if standing and at - self._said >= STANDING_SECONDS:
            self._said = at
            number = max(standing, key=lambda each: standing[each])
            log.error(
                "event time stands still, so no silence is noticed: is every process of measure running?",
                partition=number,
                seconds=round(standing[number]),
                waits_for=named(judges[number].held_by()),
            )

    def forget(self) -> None:
        """Nothing is ours any more."""
        self._moved, self._began = {}, {}


def times_in(tables: Mapping[int, Mapping[str, bytes]]) -> dict[int, Watermarks]:
    """The time of each partition's judge that has one, as their state tells."""
    times: dict[int, Watermarks] = {}
    for number, table in tables.items():
        time = Watermarks()
        with suppress(ValueError, TypeError):
            for key in (CLOCK_KEY, MARKS_KEY):
                if key in table:
                    time.restore(key, table[key])
        if time.now != LONG_AGO:
            times[number] = time
    return times


def named(marks: list[Watermark]) -> list[str]:
    """The first of some partitions, each with the event time up to which it is measured."""
    first = [
        f"{mark.topic}[{mark.partition}] "
        + ("of which nothing is known" if mark.watermark == LONG_AGO else f"at {format_instant(mark.watermark)}")
        for mark in marks[:NAMED]
    ]
    return [*first, f"and {len(marks) - NAMED} more"] if len(marks) > NAMED else first
