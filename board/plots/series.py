"""What a plot shows, as values: lines over time, bounds and marked times. Times are micros, UTC; it draws nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seamwatch.values import value

_LARGEST: Final = 1e300
"""Beyond it even the distance of two values may be no number."""


@value()
class Point:
    """A value at a time; None where nothing was measured, which is drawn as a gap."""

    at: int
    value: float | None

    @property
    def shown(self) -> float | None:
        """The value, where it can be drawn: of what is no number, or beyond all measure, there is a gap."""
        return self.value if self.value is not None and is_drawable(self.value) else None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured, in the order of time."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """What was agreed: a value that is not to be passed, in words such as ``agreed at most``."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A time at which something happened."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Plot:
    """All that is drawn. ``since`` and ``until`` are its ends in time, ``since`` before ``until``.

    ``unit`` is that of the values as violations have it (``share``, ``s``, ``ms``), empty for a plain number.
    ``name`` is unique on its page: ids are made of it.
    """

    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    since: int
    until: int
    bounds: tuple[Bound, ...] = ()
    marks: tuple[Mark, ...] = ()
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured in this time."""
        return not any(True for _ in self.values())

    def last(self, *, highest: bool) -> float | None:
        """The value measured last, of several lines the highest or the lowest."""
        found = [
            values[-1]
            for line in self.lines
            if (values := [p.shown for p in line.points if p.shown is not None and self.since <= p.at <= self.until])
        ]
        return None if not found else max(found) if highest else min(found)

    def values(self) -> Iterator[float]:
        """Every value that is drawn as part of a line."""
        for line in self.lines:
            for point in line.points:
                if point.shown is not None and self.since <= point.at <= self.until:
                    yield point.shown


def is_drawable(number: float) -> bool:
    """Whether there is a place for a number."""
    return math.isfinite(number) and abs(number) <= _LARGEST
