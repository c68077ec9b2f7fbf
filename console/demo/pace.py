"""The pace of the demo: in true time until the stages run, then a day in seconds, and in true time again.

All go by one clock, whose setting lies in a file that they follow (`seamwatch.clock`). Here it is written, and nowhere
else. How long a machine takes to start, and to see all stories, nobody knows beforehand. One that is slow to start has
longer days: else it would be told what to measure faster than it can.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.demo import timeline
from seamwatch.broker import Address
from seamwatch.clock import FollowedClock, ScaledClock
from seamwatch.durations import DAY, SECOND
from seamwatch.errors import SeamwatchError
from seamwatch.wire.topics import Topics
from streams.page.lookout import Lookout

STAGES: Final = ("measure", "judge", "record", "page")
_FILE: Final = "clock"
_AHEAD: Final = SECOND
"""So long on the wall before time changes its pace all can read that it will."""
_PATIENCE_SECONDS: Final = 60.0
_USUAL_SECONDS: Final = 30.0
"""In so long everything starts on a machine that keeps up with a day in five seconds, even when it is a little busy."""
_MOST: Final = 4.0
"""So many times as long a day may be."""


class Pace:
    """The clock's file, and the clock that follows it."""

    def __init__(self, folder: Path, origin: int) -> None:
        """Time begins on the eve of ``origin`` (micros), and passes as on the wall."""
        self._file = folder / _FILE
        self._origin = origin
        self.rate = float(timeline.RATE)
        self._write(ScaledClock(origin - DAY, _wall(), 1.0))
        self.clock = FollowedClock(self._file)
        self.setting = f"@{self._file}"

    @property
    def is_slow(self) -> bool:
        """Whether the history is over, and time passes as on the wall again."""
        until = self.clock.scaled().until
        return until is not None and self.clock.now() >= until

    def begin(self, waited: float) -> None:
        """Let the history begin, in a moment. ``waited``: how many seconds everything took to start."""
        self.rate = timeline.RATE / min(max(1.0, waited / _USUAL_SECONDS), _MOST)
        self._write(ScaledClock(self._origin, _wall() + _AHEAD, self.rate))

    def slow_down(self) -> None:
        """Let time pass as on the wall, from a moment on."""
        fast = self.clock.scaled()
        until = fast.now() + round(_AHEAD * fast.rate)
        self._write(ScaledClock(fast.origin, fast.wall_origin, fast.rate, until))

    def _write(self, clock: ScaledClock) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(clock.setting(), "utf-8")
        new.replace(self._file)


class StagesRun(Exception):
    """Every stage has joined its group, or would not in a minute: the history may begin."""


def waiting_for_stages(kafka: Address, prefix: str) -> Callable[[], None]:
    """A tick that raises StagesRun. What is played before they run would only have to be caught up with."""
    lookout, until = Lookout(kafka, Topics(prefix)), time.monotonic() + _PATIENCE_SECONDS

    def look() -> None:
        stages = {}
        # A broker that has just started knows no groups; what is wrong with it the supervisor tells.
        with contextlib.suppress(SeamwatchError):
            stages = dict(lookout.look().stages)
        if all(stage in stages and stages[stage].members for stage in STAGES) or time.monotonic() > until:
            lookout.close()
            raise StagesRun

    return look


def _wall() -> int:
    return time.time_ns() // 1_000
