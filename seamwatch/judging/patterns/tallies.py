"""Tallies: how many events a conversation or a window has had, with the earliest of them, however they were batched.

`talked` is the rule for a conversation: more than so many calls of it open one episode, which is over when it has been
silent for half an hour. Exact whatever the batches and the order of arrival. Pure; a clause words what is found.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.patterns.calm import Stretch
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.values import value

SPELLS_KEPT = 100


@value()
class Tally:
    """What was counted in a window, or in a conversation; ``events`` are the earliest, ``seen`` is the last arrival.

    ``spells`` are the (first, last) times of stretches of a conversation between which it was silent.
    """

    start: int
    window: int
    count: int
    last: int
    seen: int
    events: tuple[Evidence, ...]
    spells: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """The first microsecond after the window."""
        return self.start + self.window

    def with_fact(self, fact: Fact, moment: Moment, kept: int) -> Tally:
        """With what the fact counted."""
        # A fact's events are in order already.
        events = tuple(sorted((*self.events, *fact.evidence))[:kept]) if self.events else fact.evidence[:kept]
        last = max(self.last, fact.last_time)
        return Tally(self.start, self.window, self.count + fact.count, last, moment.now, events, self.spells)

    def complete(self, moment: Moment) -> bool:
        """Whether all of the window has arrived."""
        return moment.watermark >= self.end and moment.now - self.seen >= moment.settle

    def beyond(self, most: int) -> tuple[Evidence, ...]:
        """A conversation's events beyond so many, up to where it fell silent for the first time."""
        found = self.events[most:]
        pairs = enumerate(pairwise(found), 1)
        silent = (n for n, (one, after) in pairs if after.event_time >= one.event_time + TRACE_IDLE)
        return found[: next(silent, len(found))]

    def silent_from(self, most: int) -> int:
        """When the conversation first fell silent after the first event beyond so many."""
        after = self.events[most].event_time if self.count > most else self.last
        return next((last for _, last in self.spells if last >= after), self.last) + TRACE_IDLE

    def with_spell(self, fact: Fact, most: int) -> Tally:
        """With the stretch of a conversation that the fact is of, which is counted already."""
        # No two events of a fact are a silence apart, so that its first and last are enough.
        if not self.spells and self.count <= most:
            return self._with_spells(((fact.first_time, fact.last_time),))
        spells: list[tuple[int, int]] = []
        for first, last in sorted((*self.spells, (fact.first_time, fact.last_time))):
            if spells and first < spells[-1][1] + TRACE_IDLE:
                spells[-1] = (spells[-1][0], max(last, spells[-1][1]))
            else:
                spells.append((first, last))
        if self.count <= most:
            return self._with_spells(tuple(spells[-SPELLS_KEPT:]))
        # What was silent before the first event beyond what was agreed ends nothing.
        beyond = self.events[most].event_time
        return self._with_spells(tuple([spell for spell in spells if spell[1] >= beyond][:SPELLS_KEPT]))

    def _with_spells(self, spells: tuple[tuple[int, int], ...]) -> Tally:
        return Tally(self.start, self.window, self.count, self.last, self.seen, self.events, spells)


@value()
class Tallies:
    """Tallies that still fill, in order; ``done`` is the end of the last complete one.

    ``first`` and ``until``: start of the first and end of the last window of the run that exceeds, None for no run;
    ``stretch`` is the last run over windows, also after it is over.
    ``over``: the conversation's episode has ended, and it has no second.
    """

    tallies: tuple[Tally, ...] = ()
    done: int = -(2**62)
    first: int | None = None
    until: int = 0
    over: bool = False
    stretch: Stretch | None = None


@value()
class Talked:
    """The new state of a conversation (None: nothing to remember), what changed in turn, and when to be asked again.

    A change is the tally that exceeds, or the time at which the episode is over.
    """

    state: Tallies | None
    changes: tuple[Tally | int, ...] = ()
    deadline: int | None = None


def talked(state: Tallies | None, fact: Fact | None, moment: Moment, *, most: int, kept: int) -> Talked:
    """Count a fact of a conversation, or let time pass; ``kept`` of its earliest events are remembered."""
    state = state or Tallies()
    tally = next(iter(state.tallies), None)
    changes: list[Tally | int] = []
    if fact is not None:
        if tally is not None and fact.first_time >= tally.last + DAY:
            # What a silent day has ended is forgotten, live as well as in a history that is read at once.
            state, tally = _ended(state, tally, most, changes), None
        if tally is None:
            state, tally = Tallies(), Tally(fact.window_start, fact.window, 0, fact.last_time, moment.now, ())
        tally = tally.with_fact(fact, moment, kept).with_spell(fact, most)
        state = Tallies((tally,), state.done, state.first, state.until, state.over)
        if tally.count > most and not state.over:
            changes.append(tally)
            state = replace(state, first=tally.start)
    if tally is None:
        return Talked(None)
    if moment.watermark >= tally.silent_from(most):
        state = _ended(state, tally, most, changes)
    if moment.watermark >= tally.last + DAY:
        return Talked(None, tuple(changes))
    running = state.first is not None and not state.over
    return Talked(state, tuple(changes), tally.silent_from(most) if running else tally.last + DAY)


def _ended(state: Tallies, tally: Tally, most: int, changes: list[Tally | int]) -> Tallies:
    if state.first is None or state.over:
        return state
    changes.append(tally.silent_from(most))
    return replace(state, over=True)
