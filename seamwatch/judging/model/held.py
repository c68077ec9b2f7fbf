"""Held: a time in which event time was behind the stages' clock, and the input partitions that it waited for.

A value only; `seamwatch.engine.watermarks` notes it. All times are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from seamwatch.durations import HOUR

NAMED = 5
"""So many partitions are named; the others are counted."""
TIMES = 5
"""So many such times are known: of those of the last hour the longest, and the latest."""


@dataclass(frozen=True, slots=True)
class Held:
    """Event time was behind from ``since`` (where it stood when it was the furthest behind) to ``until`` (seen last).

    ``by`` are partitions that it waited for when that was seen last, each with the event time up to which it had been
    measured (None: nothing was known of it), the furthest behind first. They are some of ``count``, of all
    ``partitions`` that there were.
    """

    since: int
    until: int
    by: tuple[tuple[str, int, int | None], ...]
    count: int
    partitions: int


def latest(times: tuple[Held, ...]) -> tuple[Held, ...]:
    """Those of some times, in order, that are worth to be known when the last of them has just been."""
    *before, last = times
    kept = [held for held in before if held.until > last.until - HOUR]
    while len(kept) >= TIMES:
        kept.remove(min(kept, key=lambda held: held.until - held.since))
    return (*kept, last)
