"""The stream's time: what measurements say of the clock, of how far event time has got, and of a history under way.

Keeps the latest mark of each input partition and the lowest of them; decides nothing about clauses. All times are
microseconds.
"""

from __future__ import annotations

import json
from typing import Any

from seamwatch.durations import SECOND
from seamwatch.judging.facts import Measurement, Watermark

LONG_AGO = -(2**62)
FAR_AHEAD = 2**62
_CLOCK_KEY = "\x00clock"
_MARKS_KEY = "\x00marks"
_MARKS_KEPT_EVERY = 10 * SECOND
_BEHIND = 5 * SECOND


class StreamTime:
    """Time as measurements tell it.

    - ``now``: the stages' clock at the latest measurement.
    - ``lowest``: event time before which nothing is still to be measured; the allowed lateness is not taken off.
    - ``progress``: the same for events that come long after their time: how far a history has got.
    - ``began``: the earliest event time that was ever measured; None before the first event.
    - ``joined``: event time before which no outcome waits for its decision; far ahead when none waits.
    """

    def __init__(self) -> None:
        self.now = self.lowest = self.progress = LONG_AGO
        self.joined = FAR_AHEAD
        self.began: int | None = None
        self._marks: dict[tuple[str, int], Watermark] = {}
        self._marks_kept = LONG_AGO

    def loading(self, lateness: int) -> bool:
        """Whether a history is under way: events are coming that are further behind than is allowed."""
        return self.progress < self.lowest - lateness - _BEHIND

    def reached(self, *, historic: bool, of_outcomes: bool) -> int:
        """How far event time has got for those who look at a history, or at outcomes."""
        reached = self.progress if historic else self.lowest
        return min(reached, self.joined) if of_outcomes else reached

    def hear(self, measurement: Measurement) -> None:
        """Take note of the measurement's clock; to be called before it is judged."""
        self.now = max(self.now, measurement.measured_at)
        if measurement.began is not None:
            self.began = measurement.began if self.began is None else min(self.began, measurement.began)

    def advance(self, measurement: Measurement) -> None:
        """Take note of the measurement's marks; to be called after all of it has been judged."""
        for mark in measurement.watermarks:
            self._marks[mark.topic, mark.partition] = mark
        if self._marks:
            self.lowest = min(mark.watermark for mark in self._marks.values())
            coming = [mark.progress for mark in self._marks.values() if mark.progress is not None]
            self.progress = min([self.lowest, *coming])
            self.joined = min(
                (mark.waiting for mark in self._marks.values() if mark.waiting is not None), default=FAR_AHEAD
            )

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; False when it is none of the time's."""
        if key == _CLOCK_KEY:
            # Earlier releases kept the first three or four of them.
            kept = [*json.loads(value), FAR_AHEAD, None]
            self.now, self.lowest, self.progress, self.joined = kept[:4]
            self.began = kept[4] if len(kept) == 7 else None
        elif key == _MARKS_KEY:
            self._marks = {(w["topic"], w["partition"]): Watermark(**w) for w in json.loads(value)}
        else:
            return False
        return True

    def saved(self, *, marks: bool) -> dict[str, bytes]:
        """Records for the state topic. The marks behind the time are many, and kept every ten seconds or when asked.

        What comes next is judged under this time, crash or no crash; marks are told anew with every heartbeat, and
        older ones only make the judge wait that long.
        """
        records = {_CLOCK_KEY: json.dumps([self.now, self.lowest, self.progress, self.joined, self.began]).encode()}
        if marks or self.now - self._marks_kept >= _MARKS_KEPT_EVERY:
            records[_MARKS_KEY] = json.dumps([_plain(mark) for mark in self._marks.values()]).encode()
            self._marks_kept = self.now
        return records


def _plain(mark: Watermark) -> dict[str, Any]:
    return {name: getattr(mark, name) for name in Watermark.__slots__}
