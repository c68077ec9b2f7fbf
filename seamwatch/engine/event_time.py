"""Event time: how far it has got for a keyed state, and how what is received stands to it.

What comes long after its time belongs to a backfill, in which no time passes but what the backfill itself gives. Reads
the watermarks and the host's settings; changes neither.
"""

from __future__ import annotations

from seamwatch.engine.keyed_state import KeyedState
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.watermarks import LONG_AGO, Watermarks
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import Input


class EventTime:
    """The event time of one judge's keyed states."""

    def __init__(self, watermarks: Watermarks, settings: JudgeSettings) -> None:
        self._watermarks = watermarks
        self._max_age = settings.max_age
        self._replayed = settings.replayed

    def reached(self, state: KeyedState) -> int:
        """The event time that has been reached for the state."""
        if not state.backfill and not state.of_outcomes:
            return self._watermarks.lowest - state.lateness
        backfill = state.backfill and self._watermarks.now < state.backfill_until
        return self._watermarks.reached(backfill=backfill, of_outcomes=state.of_outcomes) - state.lateness

    def is_backfill(self, state: KeyedState, received: Fact | ForwardedEvent) -> bool:
        """Whether it came longer than allowed after its time, or belongs to what did and is still coming."""
        if self._replayed:
            return False
        lateness = state.lateness
        if isinstance(received, ForwardedEvent):
            time, arrived = int(received.record["event_time"]), received.arrived
        else:
            time, arrived = received.last_time, self._watermarks.now
        late = arrived is not None and arrived - time > lateness
        return late or (state.backfill and self._watermarks.backfilling(lateness))

    def is_old(self, event: ForwardedEvent) -> bool:
        """Whether it arrived so long after its time that it opens nothing."""
        return int(event.record["event_time"]) < self.horizon(event)

    def horizon(self, received: Input) -> int:
        """The event time before which an input is too old to open anything."""
        if isinstance(received, ForwardedEvent) and received.arrived is not None:
            return received.arrived - self._max_age
        return LONG_AGO

    def found_at(self, received: Input) -> int:
        """When what an input shows could first be found."""
        if not self._replayed:
            return self._watermarks.now
        return int(received.record["event_time"]) if isinstance(received, ForwardedEvent) else LONG_AGO


def first_time(received: Fact | ForwardedEvent) -> int:
    """The earliest event time in an input."""
    return received.first_time if isinstance(received, Fact) else int(received.record["event_time"])


def last_time(received: Fact | ForwardedEvent) -> int:
    """The latest event time in an input."""
    return received.last_time if isinstance(received, Fact) else int(received.record["event_time"])
