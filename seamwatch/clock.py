"""Clocks: what time it is for the stages, as microseconds since the epoch, UTC.

The one seam to time. Judges never read a clock; stages are handed one. Nothing here sleeps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from seamwatch.errors import UsageError


class Clock(Protocol):
    """Gives the present, and the event time at which something that arrived at a wall time did arrive."""

    def now(self) -> int:
        """The present in microseconds."""
        ...

    def at(self, wall: int) -> int:
        """The event time that corresponds to a wall-clock time (a broker timestamp), in microseconds."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """The present in microseconds."""
        return time.time_ns() // 1_000

    def at(self, wall: int) -> int:
        """The wall time itself."""
        return wall


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A clock that starts at ``origin`` when the wall shows ``wall_origin`` and runs ``rate`` times as fast."""

    origin: int
    wall_origin: int
    rate: float

    def now(self) -> int:
        """The present of the scaled time in microseconds."""
        return self.at(time.time_ns() // 1_000)

    def at(self, wall: int) -> int:
        """The scaled time when the wall showed ``wall``."""
        return self.origin + round((wall - self.wall_origin) * self.rate)

    def setting(self) -> str:
        """The text that ``clock_of`` reads back."""
        return f"{self.origin},{self.wall_origin},{self.rate}"


def clock_of(setting: str | None) -> Clock:
    """The clock a setting names: None or empty for the machine's, else ``origin,wall_origin,rate`` in micros.

    Raises UsageError when the text is neither.
    """
    if not setting:
        return SystemClock()
    try:
        origin, wall_origin, rate = setting.split(",")
        clock = ScaledClock(int(origin), int(wall_origin), float(rate))
    except ValueError as error:
        raise UsageError(
            f"SEAMWATCH_CLOCK={setting!r}: write <origin>,<wall origin>,<rate>, times in micros"
        ) from error
    if clock.rate <= 0:
        raise UsageError(f"SEAMWATCH_CLOCK={setting!r}: the rate must be above zero")
    return clock
