"""Watermarks: what measurements say of the clock, of how far event time has got, and of a backfill under way.

Keeps the latest mark of each input partition and the lowest of them; decides nothing about clauses. All times are
microseconds.

- **Time never runs back.** A partition that was measured up to some time has nothing earlier to come, whoever measures
  it next and whatever that one knows of it.
- **No time passes before every input partition has given a mark.** Which partitions there are travels with the
  measurements (`InputPartitions`), and is part of what is saved; one that has given none has a mark of long ago.
  Partitions that are added are waited for as soon as a measurement names them, those of topics that are gone no longer.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import InputPartitions, Measurement, Watermark
from seamwatch.judging.model.held import NAMED, Held, latest

LONG_AGO = -(2**62)
FAR_AHEAD = 2**62
CLOCK_KEY = "\x00clock"
MARKS_KEY = "\x00marks"
_MARKS_KEPT_EVERY = 10 * SECOND
_BEHIND = 5 * SECOND
_NOTED = 2 * SECOND
"""So far behind the clock, it is noted what event time waits for; a heartbeat or two behind it always is."""


class Watermarks:
    """Time as measurements give it.

    - ``now``: the stages' clock at the latest measurement.
    - ``lowest``: event time before which nothing is still to be measured; the allowed lateness is not taken off.
    - ``progress``: the same for events that come long after their time: how far a backfill has got.
    - ``began``: the earliest event time that was ever measured; None before the first event.
    - ``joined``: event time before which no outcome waits for its decision; far ahead when none waits.
    - ``held``: when it was behind the clock, and by which partitions: the last few times since the start, in order.
    """

    def __init__(self) -> None:
        self.now = self.lowest = self.progress = LONG_AGO
        self.joined = FAR_AHEAD
        self.began: int | None = None
        self._marks: dict[tuple[str, int], Watermark] = {}
        self._marks_kept = LONG_AGO
        self._as_of = LONG_AGO
        self._learned = False
        self.held: tuple[Held, ...] = ()
        self._furthest: tuple[int, int] | None = None

    def backfilling(self, lateness: int) -> bool:
        """Whether a backfill is under way: events are coming that are further behind than is allowed."""
        return self.progress < self.lowest - lateness - _BEHIND

    def reached(self, *, backfill: bool, of_outcomes: bool) -> int:
        """How far event time has got for those who look at a backfill, or at outcomes."""
        reached = self.progress if backfill else self.lowest
        return min(reached, self.joined) if of_outcomes else reached

    def receive(self, measurement: Measurement) -> None:
        """Take note of the measurement's clock; to be called before it is judged."""
        self.now = max(self.now, measurement.measured_at)
        if measurement.began is not None:
            self.began = measurement.began if self.began is None else min(self.began, measurement.began)
        self._note_what_holds()

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
        """The marks that hold the time where it is: those of the lowest event time; of long ago where one gave none."""
        lowest = min((mark.watermark for mark in self._marks.values()), default=LONG_AGO)
        return [mark for mark in self._marks.values() if mark.watermark == lowest]

    def behind(self, by: int) -> list[Watermark]:
        """The marks that are behind the clock by more than so much, the furthest first."""
        late = [mark for mark in self._marks.values() if self.now - mark.watermark > by]
        return sorted(late, key=lambda mark: (mark.watermark, mark.topic, mark.partition))

    @property
    def marks(self) -> list[Watermark]:
        """How far each input partition was told to be measured."""
        return list(self._marks.values())

    @property
    def partitions(self) -> int:
        """How many input partitions it knows of."""
        return len(self._marks)

    def _note_what_holds(self) -> None:
        """Note what event time had waited for when this was received, before it says how far each partition is now."""
        if not self._marks or self.now - self.lowest <= _NOTED:
            self._furthest = None
            return
        # Marks are saved less often than the time: after a restart none is further behind than that.
        reached = {place: max(mark.watermark, self.lowest) for place, mark in self._marks.items()}
        # Those that are nearly as far behind as the furthest: the others would not have held it for as long.
        far = max(_NOTED, (self.now - self.lowest) // 2)
        behind = sorted((at, *place) for place, at in reached.items() if self.now - at > far)
        # It goes on for as long as what had come, when it was the furthest behind, is not all measured.
        goes_on = self._furthest is not None and self.lowest < self._furthest[1]
        since = self.lowest
        if self.lowest == LONG_AGO:
            since = self.held[-1].since if goes_on else self.now
        if goes_on and self._furthest is not None and self._furthest[0] > self.now - since:
            since = self.held[-1].since
        else:
            self._furthest = self.now - since, self.now
        held = Held(
            since=since,
            until=self.now,
            by=tuple((topic, number, None if at == LONG_AGO else at) for at, topic, number in behind[:NAMED]),
            count=len(behind),
            partitions=len(self._marks),
        )
        self.held = latest((*(self.held[:-1] if goes_on else self.held), held))

    def _learn(self, inputs: InputPartitions) -> None:
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
