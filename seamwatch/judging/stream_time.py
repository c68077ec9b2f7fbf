"""The stream's time: what measurements say of the clock, of how far event time has got, and of a history under way.

Keeps the latest mark of each input partition and the lowest of them; decides nothing about clauses. All times are
microseconds.

- **Time never runs back.** A partition that was measured up to some time has nothing earlier to come, whoever measures
  it next and whatever that one knows of it.
- **No time passes before every input partition was heard of.** Which there are travels with the measurements
  (`Inputs`), and is part of what is saved; one that was not heard of has a mark of long ago. Partitions that are added
  are waited for from the moment on that they are told of, those of topics that are gone no longer.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from seamwatch.durations import SECOND
from seamwatch.judging.facts import Inputs, Measurement, Watermark

LONG_AGO = -(2**62)
FAR_AHEAD = 2**62
CLOCK_KEY = "\x00clock"
MARKS_KEY = "\x00marks"
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
        self._as_of = LONG_AGO
        self._learned = False

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
        if measurement.inputs is not None and measurement.inputs.as_of > self._as_of:
            self._learn(measurement.inputs)
        for mark in measurement.watermarks:
            former = self._marks.get((mark.topic, mark.partition))
            if former is not None and former.watermark > mark.watermark:
                mark = replace(mark, watermark=former.watermark)  # noqa: PLW2901 - the mark as it holds
            self._marks[mark.topic, mark.partition] = mark
        if self._marks:
            self.lowest = max(self.lowest, min(mark.watermark for mark in self._marks.values()))
            coming = [mark.progress for mark in self._marks.values() if mark.progress is not None]
            self.progress = min([self.lowest, *coming])
            self.joined = min(
                (mark.waiting for mark in self._marks.values() if mark.waiting is not None), default=FAR_AHEAD
            )

    def held_by(self) -> list[Watermark]:
        """The marks that hold the time where it is: those of the lowest event time; of long ago when not heard of."""
        lowest = min((mark.watermark for mark in self._marks.values()), default=LONG_AGO)
        return [mark for mark in self._marks.values() if mark.watermark == lowest]

    def _learn(self, inputs: Inputs) -> None:
        self._as_of = inputs.as_of
        there = {(topic, number) for topic, count in inputs.partitions for number in range(count)}
        for place in self._marks.keys() - there:
            del self._marks[place]
            self._learned = True
        for topic, number in sorted(there - self._marks.keys()):
            self._marks[topic, number] = Watermark(topic, number, 0, LONG_AGO, caught_up=False, progress=LONG_AGO)
            self._learned = True

    def restore(self, key: str, value: bytes) -> bool:
        """Take back a record of the state topic; False when it is none of the time's.

        Raises ValueError or TypeError when it cannot be read, and changes nothing then.
        """
        if key == CLOCK_KEY:
            # Earlier releases kept the first three or four of them, and later ones may keep more.
            now, lowest, progress, *more = json.loads(value)
            joined, began, as_of = [*more, *(FAR_AHEAD, None, LONG_AGO)[len(more) :]][:3]
            for time in (now, lowest, progress, joined, as_of, *(() if began is None else (began,))):
                if not isinstance(time, int):
                    raise TypeError(f"{time!r} is no time")
            self.now, self.lowest, self.progress, self.joined, self.began = now, lowest, progress, joined, began
            self._as_of = as_of
        elif key == MARKS_KEY:
            marks = _marks_adapter().validate_json(value)
            self._marks = {(mark.topic, mark.partition): mark for mark in marks}
        else:
            return False
        return True

    def saved(self, *, marks: bool) -> dict[str, bytes]:
        """Records for the state topic. The marks behind the time are many, and kept every ten seconds or when asked.

        What comes next is judged under this time, crash or no crash; marks are told anew with every heartbeat, and
        older ones only make the judge wait that long. That there are other partitions is kept at once.
        """
        clock = [self.now, self.lowest, self.progress, self.joined, self.began, self._as_of]
        records = {CLOCK_KEY: json.dumps(clock).encode()}
        if marks or self._learned or self.now - self._marks_kept >= _MARKS_KEPT_EVERY:
            self._learned = False
            records[MARKS_KEY] = json.dumps([_plain(mark) for mark in self._marks.values()]).encode()
            self._marks_kept = self.now
        return records


@cache
def _marks_adapter() -> TypeAdapter[list[Watermark]]:
    return TypeAdapter(list[Watermark])


def _plain(mark: Watermark) -> dict[str, Any]:
    return {name: getattr(mark, name) for name in Watermark.__slots__}
