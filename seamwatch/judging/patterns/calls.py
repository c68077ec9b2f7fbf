"""Calls one by one: the order of the calls of a conversation, for clauses that agree on it.

Measure tells of each call that matters to such a clause (`Measure.evidence` None); here they wait until what came
before them has arrived, and are then handed out once, in the order of (event_time, event_id), however they were
batched. Of one conversation at most `MOST_CALLS` wait from one turn to the next: the earliest beyond are handed out
before their time, so that a clock which stands still cannot fill the memory; what comes late for them is counted as
late. Values only; what the order means is the clause's.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from seamwatch.expressions.arguments import UNREADABLE, arguments_or_none, value_at
from seamwatch.expressions.tree import EXACT
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.values import value

_LONG_AGO = -(2**62)
_as_text = json.JSONEncoder(sort_keys=True).encode
MOST_CALLS = 5_000
"""How many calls of one conversation wait: about a megabyte of a record of the state topic."""


def matched(text: str | None, names: Sequence[str]) -> str | None:
    """A digest of the values of some arguments in a tool call's JSON text; None when one is absent, null or odd.

    A name with dots reaches inside. Equal values have equal digests: 1 and 1.0 are equal, 1 and "1" are not. Whole
    numbers are exact; a value with a number of 2^53 or beyond that is not written as a whole one is odd, and equals
    nothing, since which number it was cannot be told.
    """
    arguments = arguments_or_none(text)
    if arguments is None:
        return None
    return digest_of([value_at(arguments, tuple(name.split("."))) for name in names])


def digest_of(values: Sequence[Any]) -> str | None:
    """The same of values as `read_arguments` gives them."""
    shown = compared_text(values)
    return None if shown is None else hashlib.sha256(shown.encode()).hexdigest()[:24]


def compared_text(values: Sequence[Any]) -> str | None:
    """One text for values that are equal; None when one is absent, null or odd."""
    if any(value is None or not _is_known(value) for value in values):
        return None
    return _as_text(values)


def _is_known(value: Any) -> bool:
    if isinstance(value, float):
        return -EXACT < value < EXACT
    if isinstance(value, dict):
        return all(map(_is_known, value.values()))
    return all(map(_is_known, value)) if isinstance(value, list) else value is not UNREADABLE


@value()
class Call:
    """One call; ``role`` is the name of the measure that told of it, ``seen`` when, by the stream's clock."""

    event: Evidence
    role: str
    seen: int

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in its conversation."""
        return (self.event.event_time, self.event.event_id)


@value()
class Calls:
    """The calls of one conversation that still wait, in order, and the place of the last one handed out."""

    waiting: tuple[Call, ...] = ()
    done: tuple[int, str] = (_LONG_AGO, "")

    def add(self, fact: Fact, moment: Moment) -> tuple[Calls, tuple[Call, ...]]:
        """With the fact's calls among those that wait, and the ones that came too late to stand in line."""
        role, now = fact.measure, moment.now
        came = tuple([Call(event, role, now) for event in fact.evidence])
        if not came:
            return self, ()
        late: tuple[Call, ...] = ()
        if not self.waiting and _place(came[0]) > self.done:
            return Calls(came, self.done), late
        if _place(came[0]) <= self.done:
            late = tuple(call for call in came if _place(call) <= self.done)
            came = came[len(late) :]
        # A fact's evidence is in order already.
        if self.waiting and came and _place(came[0]) < _place(self.waiting[-1]):
            return Calls(tuple(sorted((*self.waiting, *came), key=_place)), self.done), late
        return Calls((*self.waiting, *came), self.done), late

    def take(self, moment: Moment, *, all_of_them: bool = False) -> tuple[tuple[Call, ...], Calls]:
        """The calls that everything before has arrived for, in order, and what is left."""
        if all_of_them or not self.waiting:
            ready = len(self.waiting)
        elif not moment.settle and self.waiting[-1].event.event_time <= moment.watermark:
            # So it mostly is in a history.
            ready = len(self.waiting)
        else:
            ready = bisect_left(self.waiting, moment.watermark + 1, key=_time)
            if moment.settle:
                unsettled = (n for n, call in enumerate(self.waiting) if moment.now - call.seen < moment.settle)
                ready = min(ready, next(unsettled, ready))
            ready = max(ready, len(self.waiting) - MOST_CALLS)
        return self.first(ready)

    def first(self, number: int) -> tuple[tuple[Call, ...], Calls]:
        """The first so many, whether or not their time has come, and what is left."""
        if number <= 0:
            return (), self
        if number == len(self.waiting):
            return self.waiting, Calls((), self.waiting[-1].place)
        return self.waiting[:number], Calls(self.waiting[number:], self.waiting[number - 1].place)

    def deadline(self) -> int | None:
        """The event time at which the first may be handed out."""
        return self.waiting[0].event.event_time if self.waiting else None

    def wake(self, moment: Moment) -> int | None:
        """The stream's time at which the first will have settled; at once when too many wait."""
        if not self.waiting:
            return None
        if len(self.waiting) > MOST_CALLS:
            return moment.now
        first = self.waiting[0]
        if moment.settle == 0 or moment.now - first.seen >= moment.settle:
            return None
        return first.seen + moment.settle


def _place(call: Call) -> tuple[int, str]:
    # Asked for often enough that a property's own call shows.
    event = call.event
    return event.event_time, event.event_id


def _time(call: Call) -> int:
    return call.event.event_time
