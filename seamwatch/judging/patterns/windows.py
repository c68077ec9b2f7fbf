"""Tumbling windows that fill over several facts, and when one may be judged.

A window is complete when the watermark has passed its end and nothing has arrived for it for the settling time
(events of one system may come by several partitions, and old ones in bulk). At most `MOST_WINDOWS` wait: the oldest
beyond are complete as they are, so that a clock which stands still cannot fill the memory; in a history in event-time
order nothing follows for them. Pure values; no clause's rule is here.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import field

from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.model.merging import merge_facts
from seamwatch.values import value

MOST_WINDOWS = 1_440
"""How many windows of one slice wait to be complete: a day of one-minute windows, and within a record's bytes."""


@value()
class Window:
    """One window as known so far, and the stream's time at which something last arrived for it."""

    fact: Fact
    arrived: int

    @property
    def start(self) -> int:
        """Its first microsecond."""
        return self.fact.window_start

    @property
    def end(self) -> int:
        """The first microsecond after it."""
        return self.fact.window_start + self.fact.window

    def settled(self, moment: Moment) -> bool:
        """Whether what belongs to it has had time to arrive."""
        return moment.now - self.arrived >= moment.settle

    def complete(self, moment: Moment) -> bool:
        """Whether it may be judged for good."""
        if moment.watermark < self.fact.window_start + self.fact.window:
            return False
        return moment.now - self.arrived >= moment.settle


@value()
class Windows:
    """The windows of one slice that are not yet complete, in order; ``done`` is the end of the last complete one."""

    filling: tuple[Window, ...] = ()
    done: int = field(default=-(2**62))

    def add(self, fact: Fact, moment: Moment) -> Windows | None:
        """With the fact merged into its window; None when that window has been judged (the fact is late)."""
        return None if fact.window_end <= self.done else self.put(fact, moment.now)

    def put(self, fact: Fact, arrived: int) -> Windows:
        """The same with a fact that is not late, which arrived at a time of the stream."""
        if not self.filling:
            return Windows((Window(fact, arrived),), self.done)
        # Two versions of a contract may disagree on the width: such windows lie side by side.
        place = bisect_left(self.filling, (fact.window_start, fact.window), key=_place)
        after = place
        if place < len(self.filling) and _place(self.filling[place]) == (fact.window_start, fact.window):
            fact, after = merge_facts(self.filling[place].fact, fact), place + 1
        filling = (*self.filling[:place], Window(fact, arrived), *self.filling[after:])
        return Windows(filling, self.done)

    def take_complete(self, moment: Moment, most: int | None = None) -> tuple[tuple[Fact, ...], Windows]:
        """The leading windows that are complete, in order, and what is left: no more than ``most``, if given."""
        most = MOST_WINDOWS if most is None else most
        taken: list[Fact] = []
        for window in self.filling:
            if not window.complete(moment) and len(self.filling) - len(taken) <= most:
                break
            taken.append(window.fact)
        if not taken:
            return (), self
        return tuple(taken), Windows(self.filling[len(taken) :], taken[-1].window_end)

    def deadline(self, moment: Moment) -> int | None:
        """The next event time at which a window ends."""
        for window in self.filling:
            end = window.end
            if end > moment.watermark:
                return end
        return None

    def wake(self, moment: Moment) -> int | None:
        """The next time on the stream's clock at which a window that has ended will have settled."""
        if moment.settle == 0:
            return None
        return min((w.arrived + moment.settle for w in self.filling if not w.settled(moment)), default=None)


def _place(window: Window) -> tuple[int, int]:
    return window.start, window.fact.window


def earliest(*times: int | None) -> int | None:
    """The earliest of some times, of which any may be absent."""
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
