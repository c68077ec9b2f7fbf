"""Hand-overs of all conversations of a system, counted by the period in which they were due or made.

A call that is due counts in the period of its time, whether it is met or missed; a hand-over counts in its own.
Values and their counting; what a hand-over is, and the sentence, are the clause's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seamwatch.judging.calls import Calls
from seamwatch.judging.facts import Evidence, Fact
from seamwatch.judging.judgement import Moment
from seamwatch.judging.runs import TRACE_IDLE
from seamwatch.judging.windows import earliest

_LONG_AGO = -(2**62)


@dataclass(frozen=True, slots=True)
class Owed:
    """A call whose conversation must be handed over within ``left`` more calls."""

    event: Evidence
    left: int


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation that goes on: the calls that wait, what is owed, and the time of the last call counted."""

    trace: str
    calls: Calls = field(default_factory=Calls)
    owed: tuple[Owed, ...] = ()
    last: int = _LONG_AGO


@dataclass(frozen=True, slots=True)
class Period:
    """``met`` of the ``due`` calls were handed over; ``wanted`` of the hand-overs ``made`` were due.

    ``seen`` is the stream's time at which something last arrived for it.
    """

    start: int
    end: int
    seen: int
    due: int = 0
    met: int = 0
    made: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class Handovers:
    """The conversations that go on, the periods not yet told, in order, and the end of the last one told."""

    talks: tuple[Talk, ...] = ()
    periods: tuple[Period, ...] = ()
    told: int = _LONG_AGO

    def add(self, fact: Fact, role: str, moment: Moment, every: int) -> tuple[Handovers, int]:
        """With the calls of a fact waiting in their conversation; and how many came too late to be counted."""
        events = tuple(event for event in fact.evidence if event.event_time >= self.told)
        talks = {talk.trace: talk for talk in self.talks}
        talk = talks.get(fact.slice or "") or Talk(fact.slice or "")
        calls, late = talk.calls.add(replace(fact, measure=role, evidence=events), moment)
        talks[talk.trace] = replace(talk, calls=calls)
        periods = {period.start: period for period in self.periods}
        for event in events:
            start = event.event_time // every * every
            periods[start] = replace(periods.get(start) or Period(start, start + every, 0), seen=moment.now)
        late_ones = len(fact.evidence) - len(events) + len(late)
        return Handovers(tuple(talks.values()), _in_order(periods), self.told), late_ones

    def advance(self, moment: Moment, *, within: int, ended: bool) -> tuple[tuple[Period, ...], Handovers]:
        """The periods that nothing can change any more, and what is left; ``ended``: no call can follow."""
        periods = {period.start: period for period in self.periods}
        talks = [self._advanced(talk, periods, moment, within, ended) for talk in self.talks]
        left = tuple(talk for talk in talks if talk.calls.waiting or moment.watermark < talk.last + TRACE_IDLE)
        held = [talk.calls.waiting[0].event.event_time for talk in left if talk.calls.waiting]
        held += [talk.owed[0].event.event_time for talk in left if talk.owed]
        open_from = min(held, default=moment.watermark)
        waiting = list(_in_order(periods))
        told: list[Period] = []
        while waiting and _complete(waiting[0], moment) and waiting[0].end <= open_from:
            told.append(waiting.pop(0))
        return tuple(told), Handovers(left, tuple(waiting), told[-1].end if told else self.told)

    def _advanced(self, talk: Talk, periods: dict[int, Period], moment: Moment, within: int, ended: bool) -> Talk:
        def count(time: int, due: int = 0, met: int = 0, made: int = 0, wanted: int = 0) -> None:
            period = next((p for p in periods.values() if p.start <= time < p.end), None)
            if period is not None:
                periods[period.start] = replace(
                    period,
                    due=period.due + due,
                    met=period.met + met,
                    made=period.made + made,
                    wanted=period.wanted + wanted,
                )

        ready, calls = talk.calls.take(moment, all_of_them=ended)
        owed, last = talk.owed, talk.last
        for call in ready:
            time = call.event.event_time
            due, made = call.role.startswith("due"), call.role.endswith("made")
            # Half an hour without a call ends a conversation, and what it still owed is missed.
            before = () if time >= last + TRACE_IDLE else tuple(Owed(one.event, one.left - 1) for one in owed)
            count(time, due=due, met=due and made, made=made, wanted=made and (due or bool(before)))
            if made:
                for one in before:
                    count(one.event.event_time, met=1)
                owed = ()
            else:
                owed = tuple(one for one in before if one.left) + ((Owed(call.event, within),) if due else ())
            last = time
        if ended:
            owed = ()
        return replace(talk, calls=calls, owed=owed, last=last)

    def deadline(self, moment: Moment) -> int | None:
        """The event time at which a call may be counted, a conversation ends or a period is over."""
        later = [talk.last + TRACE_IDLE for talk in self.talks if talk.last != _LONG_AGO]
        later += [period.end for period in self.periods]
        calls = (talk.calls.deadline() for talk in self.talks)
        return earliest(*calls, *(time for time in later if time > moment.watermark))

    def wake(self, moment: Moment) -> int | None:
        """The stream's time at which what has come will have settled."""
        unsettled = [p.seen + moment.settle for p in self.periods if moment.now - p.seen < moment.settle]
        return earliest(*unsettled, *(talk.calls.wake(moment) for talk in self.talks))


def _complete(period: Period, moment: Moment) -> bool:
    return moment.watermark >= period.end and moment.now - period.seen >= moment.settle


def _in_order(periods: dict[int, Period]) -> tuple[Period, ...]:
    return tuple(periods[start] for start in sorted(periods))
