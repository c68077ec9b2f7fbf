"""Scales: from a value or a time to a place on the paper, and which round ones are written beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from seamwatch.durations import DAY, HOUR, MINUTE, SECOND

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_TICKS: Final = 6
_NARROWEST: Final = 1e-9
"""As a share of what is there: a span any narrower is no span in doubles."""
_TIME_STEPS: Final = (
    *(SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY),
)
_SECONDS: Final = ((2 * 86_400.0, 86_400.0, "d"), (2 * 3_600.0, 3_600.0, "h"), (120.0, 60.0, "min"))


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``, ``low`` below ``high``; ``ticks`` lie within."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one; what lies outside is at the end."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True, slots=True)
class Display:
    """In which unit values are written: divided by ``by``, with ``unit`` behind."""

    by: float
    unit: str

    def text(self, value: float) -> str:
        """A value with its unit, four digits of it."""
        number = value / self.by
        told = f"{number:,.0f}" if abs(number) >= 1000 and abs(number) < 1e15 else f"{number:.4g}"
        return f"{told} {self.unit}".rstrip()


def display_of(unit: str, largest: float) -> Display:
    """The unit in which values up to one are easy to read: per cent for shares, hours or days for many seconds."""
    if unit == "share":
        return Display(0.01, "%")
    if unit == "s":
        return next((Display(by, name) for least, by, name in _SECONDS if abs(largest) >= least), Display(1, "s"))
    return Display(1, unit)


def value_axis(values: Iterable[float], by: float = 1.0) -> Axis:
    """The axis that holds all values, which are finite, with round numbers of ``by`` at its ends.

    It starts at 0 unless all values lie far from it.
    """
    found = [each / by for each in values]
    low, high = min(found, default=0.0), max(found, default=1.0)
    if low > 0 and low < high * 0.75:
        low = 0.0
    if high < 0 and high > low * 0.75:
        high = 0.0
    span, largest = high - low, max(abs(low), abs(high))
    if low == high == 0:
        high = span = 1.0  # of what is nothing all the time, the room is above it
    elif span <= largest * _NARROWEST:
        room = largest * 0.1 or 1.0
        low, high = low - room, high + room
        span = high - low
    step = _round_step(span / (_MOST_TICKS - 1))
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(number * step * by for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def _round_step(least: float) -> float:
    size = 10.0 ** math.floor(math.log10(max(least, 1e-290)))
    return next(size * step for step in _STEPS if size * step >= least * (1 - 1e-12))


def time_axis(since: int, until: int, most: int = 4) -> Axis:
    """The axis of a time, with at most ``most`` + 1 round times on it (UTC)."""
    until = max(until, since + SECOND)
    step = next((step for step in _TIME_STEPS if (until - since) / step <= most), _TIME_STEPS[-1])
    while (until - since) / step > most:
        step *= 2
    first = -(-since // step) * step
    return Axis(since, until, tuple(range(first, until + 1, step)))


def time_labels(ticks: Iterable[float]) -> list[str]:
    """The words for times, UTC: the day where it begins or first comes, else the hour and minute."""
    labels, before = [], ""
    for tick in ticks:
        at = datetime.fromtimestamp(tick / 1e6, UTC)
        day = f"{at.day} {at:%b}"
        clock = at.strftime("%H:%M:%S" if at.second else "%H:%M")
        if day == before:
            labels.append(clock)
        else:
            labels.append(day if clock == "00:00" else f"{day} {clock}")
        before = day
    return labels
