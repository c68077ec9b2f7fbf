"""The ending of the demo: once the stories have been seen, time slows down to that of the wall, and a drill is held.

Asked five times a second what comes next; sends nothing itself and judges nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from console.demo import timeline
from console.demo.drilling import Drilled, Drilling, practice
from console.demo.pace import Pace
from console.demo.player import Player, Record
from console.demo.sightings import Sightings, verdicts
from console.demo.stories import Story
from console.demo.watcher import Watcher
from seamwatch.durations import DAY
from seamwatch.errors import SeamwatchError
from seamwatch.sdk.emitter import Emitter

_PATIENCE_SECONDS: Final = 30.0


class Over(Exception):
    """The history has been played and the drill held, and what had to come has come or will not."""


@dataclass(slots=True)
class Play:
    """What plays the history, and who watches."""

    stop: threading.Event
    players: list[Player]
    watcher: Watcher
    record: Record
    emitters: list[Emitter]

    def check(self) -> None:
        """Raise what ended a thread."""
        if self.watcher.error is not None:
            raise self.watcher.error
        for player in self.players:
            if player.error is not None:
                raise SeamwatchError(f"producer {player.name} failed: {player.error}") from player.error


@dataclass(slots=True)
class Ending:
    """What comes after the stories, step by step: ``stories`` has the drill once it began, ``drilled`` what it came to.

    ``origin``: when the history began (micros).
    """

    folder: Path
    origin: int
    pace: Pace
    play: Play
    sightings: Sightings
    stories: tuple[Story, ...]
    drilled: Drilled | None = None
    _is_slowing: bool = False
    _drilling: Drilling | None = None
    _until: float = field(default=0.0)

    def look(self) -> None:
        """See whether the next step can be taken. Raises Over, and what ended a thread of the play."""
        self.play.check()
        if self.drilled is not None:
            self._follow_up()
        elif self._drilling is not None:
            self.drilled = self._drilling.ended()
            self._until = time.monotonic() + _PATIENCE_SECONDS
        elif self._is_slowing:
            self._begin()
        else:
            self._history()

    def close(self) -> None:
        """End what goes on."""
        self.play.stop.set()
        if self._drilling is not None:
            self._drilling.close()

    def _met(self) -> bool:
        return not any(verdict.missing for verdict in verdicts(self.stories, self.sightings.all()))

    def _history(self) -> None:
        met = self._met()
        over_for = self.pace.clock.now() - timeline.at(self.origin, timeline.LENGTH_DAYS)
        if over_for <= (0 if met else timeline.TAIL_DAYS * DAY):
            return
        self.pace.slow_down()
        self._is_slowing = True
        if not met:
            raise Over

    def _begin(self) -> None:
        # While time is scaled, a drill would be over by its own limit before anybody could be told.
        if not self.pace.is_slow:
            return
        # In true time no data grow stale meanwhile, and the machine is free for who practise.
        self.play.stop.set()
        self.stories = (*self.stories, practice(self.pace.clock.now()))
        self._drilling = Drilling(self.folder, {"SEAMWATCH_CLOCK": self.pace.clock.setting()})

    def _follow_up(self) -> None:
        """The command has ended: what it led to may be read a moment later."""
        if self._met() or time.monotonic() > self._until:
            raise Over
