"""Clocks: what time it is for the stages, as microseconds since the epoch, UTC.

The one seam to time. Judges never read a clock; stages are handed one. Nothing here sleeps or writes.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from pathlib import Path
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
    """A clock that starts at ``origin`` when the wall shows ``wall_origin`` and runs ``rate`` times as fast.

    From event time ``until`` on, where there is one, it runs as fast as the wall. It never jumps, nor runs back.
    """

    origin: int
    wall_origin: int
    rate: float
    until: int | None = None

    def now(self) -> int:
        """The present of the scaled time in microseconds."""
        return self.at(time.time_ns() // 1_000)

    def at(self, wall: int) -> int:
        """The scaled time when the wall showed ``wall``."""
        scaled = self.origin + round((wall - self.wall_origin) * self.rate)
        if self.until is None or scaled < self.until:
            return scaled
        turned = self.wall_origin + math.ceil((self.until - self.origin) / self.rate)
        return self.until + max(0, wall - turned)

    def setting(self) -> str:
        """The text that ``clock_of`` reads back."""
        last = "" if self.until is None else f",{self.until}"
        return f"{self.origin},{self.wall_origin},{self.rate}{last}"


class FollowedClock:
    """A scaled clock whose setting lies in a file, for a history of which nobody knows beforehand how long it takes.

    Whoever plays it replaces the file once, by the same setting with its ``until``, a time that is still to come. Until
    then each question looks whether that was done, so that all who follow the file have the same time. Where it was
    done too late, and time had passed ``until``, time stands until it is that late: it does not run back.
    """

    def __init__(self, path: Path) -> None:
        """Raises UsageError when the file cannot be read, or holds no setting."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._last = 0
        try:
            self._clock = self._read()
        except OSError as error:
            raise UsageError(f"SEAMWATCH_CLOCK=@{path}: cannot be read: {error.strerror}") from error

    def now(self) -> int:
        """The present of the scaled time in microseconds."""
        # The wall before the file: what is written there after this holds for times after this.
        wall = time.time_ns() // 1_000
        self._last = max(self._last, self.at(wall))
        return self._last

    def at(self, wall: int) -> int:
        """The scaled time when the wall showed ``wall``."""
        return self.scaled().at(wall)

    def scaled(self) -> ScaledClock:
        """The clock as the file says it now."""
        if self._clock.until is None:
            # Gone with the folder of what was played, or being replaced: what was read last holds.
            with contextlib.suppress(OSError):
                self._clock = self._read()
        return self._clock

    def setting(self) -> str:
        """The text that the file holds now, for those who read later what was found by this clock."""
        return self.scaled().setting()

    def _read(self) -> ScaledClock:
        status = self._path.stat()
        seen = status.st_ino, status.st_mtime_ns
        if seen == self._seen:
            return self._clock
        clock = scaled_clock(self._path.read_text("utf-8"))
        self._seen = seen
        return clock


def clock_of(setting: str | None) -> Clock:
    """The clock a setting names: None or empty for the machine's, else ``origin,wall_origin,rate[,until]`` in micros.

    Or ``@`` and a file that holds one. Raises UsageError when the text is neither, or the file cannot be read.
    """
    if not setting:
        return SystemClock()
    return FollowedClock(Path(setting[1:])) if setting.startswith("@") else scaled_clock(setting)


def scaled_clock(setting: str) -> ScaledClock:
    """The clock of a text. Opens no file, whatever the text is: it may come from a record. Raises UsageError."""
    try:
        origin, wall_origin, rate, *until = setting.split(",")
        (last,) = until or (None,)
        clock = ScaledClock(int(origin), int(wall_origin), float(rate), None if last is None else int(last))
    except ValueError as error:
        raise UsageError(
            f"SEAMWATCH_CLOCK={setting!r}: write <origin>,<wall origin>,<rate>[,<until>], times in micros"
        ) from error
    if not 0 < clock.rate < math.inf:
        raise UsageError(f"SEAMWATCH_CLOCK={setting!r}: the rate must be above zero")
    return clock


def setting_of(clock: Clock) -> str | None:
    """The text by which others read the times of a clock; None for the machine's own."""
    return clock.setting() if isinstance(clock, ScaledClock | FollowedClock) else None
