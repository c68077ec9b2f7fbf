"""Clocks: how far event time has got for an entry, and how what comes for it stands to that.

What comes long after its time belongs to a history, of which no time passes but what the history itself tells. Reads
the stream's time and the host's wishes; changes neither.
"""

from __future__ import annotations

from seamwatch.judging.entries import Entry
from seamwatch.judging.facts import Fact, ForwardedEvent
from seamwatch.judging.judgement import Happening
from seamwatch.judging.stream_time import LONG_AGO, StreamTime


class Clocks:
    """The clocks of one judge's entries.

    ``max_age``: what arrives later than this after its time opens nothing (micros). ``replayed``: all of it is a
    history, which is its own clock.
    """

    def __init__(self, time: StreamTime, max_age: int, *, replayed: bool) -> None:
        self._time = time
        self._max_age = max_age
        self._replayed = replayed

    def reached(self, entry: Entry) -> int:
        """The event time that has been reached for the entry."""
        if not entry.historic and not entry.of_outcomes:
            return self._time.lowest - entry.lateness
        held = entry.historic and self._time.now < entry.held_until
        return self._time.reached(historic=held, of_outcomes=entry.of_outcomes) - entry.lateness

    def is_history(self, entry: Entry, happening: Fact | ForwardedEvent) -> bool:
        """Whether it came longer than allowed after its time, or belongs to what did and is still coming."""
        if self._replayed:
            return False
        lateness = entry.lateness
        if isinstance(happening, ForwardedEvent):
            time, arrived = int(happening.record["event_time"]), happening.arrived
        else:
            time, arrived = happening.last_time, self._time.now
        late = arrived is not None and arrived - time > lateness
        return late or (entry.historic and self._time.loading(lateness))

    def is_old(self, event: ForwardedEvent) -> bool:
        """Whether it arrived so long after its time that it opens nothing."""
        return int(event.record["event_time"]) < self.horizon(event)

    def horizon(self, happening: Happening) -> int:
        """The event time before which a happening is too old to open anything."""
        if isinstance(happening, ForwardedEvent) and happening.arrived is not None:
            return happening.arrived - self._max_age
        return LONG_AGO

    def known_at(self, happening: Happening) -> int:
        """When what a happening shows could first be known."""
        if not self._replayed:
            return self._time.now
        return int(happening.record["event_time"]) if isinstance(happening, ForwardedEvent) else LONG_AGO
