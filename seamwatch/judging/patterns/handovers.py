"""Hand-overs of all conversations of a system, counted by the period in which they were due or made.

A call that is due counts in the period of its time, whether it is met or missed; a hand-over counts in its own.
All of it is one state of the system, so it is bounded: calls beyond `MOST_WAITING` are counted before their time, and
of calls that are due beyond `MOST_OWED` those are given up whose conversation has been silent the longest, which is
counted too. Both go by event time, so that they are the same however calls were batched.
Values and their counting; what a hand-over is, and the sentence, are the clause's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.patterns.calls import Call, Calls
from seamwatch.judging.patterns.runs import TRACE_IDLE
from seamwatch.judging.patterns.windows import MOST_WINDOWS, earliest
from seamwatch.values import value

MOST_WAITING = 5_000
MOST_OWED = 2_000
MOST_SILENT = 2_000
"""How many conversations that owe nothing are remembered, to know a call of theirs that comes late."""
_LONG_AGO = -(2**62)


@value()
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

    ``given_up`` of those due were not waited for any longer. ``seen`` is the stream's time at which something last
    arrived for it.
    """

    start: int
    end: int
    seen: int
    due: int = 0
    met: int = 0
    made: int = 0
    wanted: int = 0
    given_up: int = 0


@value()
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
        count = _Count(self, within)
        for call, trace in self._ready(count.talks, moment, ended):
            count.take(trace, call)
        left = [
            talk for talk in count.talks.values() if talk.calls.waiting or moment.watermark < talk.last + TRACE_IDLE
        ]
        if ended:
            left = []
        held = [talk.calls.waiting[0].event.event_time for talk in left if talk.calls.waiting]
        held += [talk.owed[0].event.event_time for talk in left if talk.owed]
        open_from = min(held, default=moment.watermark)
        waiting = list(_in_order(count.periods))
        complete: list[Period] = []
        while waiting and (_over(waiting[0], moment, open_from) or len(waiting) > MOST_WINDOWS):
            complete.append(waiting.pop(0))
        return tuple(complete), Handovers(_bounded(left), tuple(waiting), complete[-1].end if complete else self.told)

    def _ready(self, talks: dict[str, Talk], moment: Moment, ended: bool) -> list[tuple[Call, str]]:
        """The calls whose time has come, of all conversations in order; taken out of ``talks``."""
        ready: list[tuple[Call, str]] = []

        def take(trace: str, calls: tuple[Call, ...], left: Calls) -> None:
            ready.extend((call, trace) for call in calls)
            talks[trace] = replace(talks[trace], calls=left)

        for trace, talk in list(talks.items()):
            take(trace, *talk.calls.take(moment, all_of_them=ended))
        waiting = sorted((call.place, trace) for trace, talk in talks.items() for call in talk.calls.waiting)
        early = Counter(trace for _, trace in waiting[: max(0, len(waiting) - MOST_WAITING)])
        for trace, number in early.items():
            take(trace, *talks[trace].calls.first(number))
        return sorted(ready, key=lambda one: (one[0].place, one[1]))

    def deadline(self, moment: Moment) -> int | None:
        """The event time at which a call may be counted, a conversation ends or a period is over."""
        later = [talk.last + TRACE_IDLE for talk in self.talks if talk.last != _LONG_AGO]
        later += [period.end for period in self.periods]
        calls = (talk.calls.deadline() for talk in self.talks)
        return earliest(*calls, *(time for time in later if time > moment.watermark))

    def wake(self, moment: Moment) -> int | None:
        """The stream's time at which what has come will have settled; at once when too many calls wait."""
        if sum(len(talk.calls.waiting) for talk in self.talks) > MOST_WAITING:
            return moment.now
        unsettled = [p.seen + moment.settle for p in self.periods if moment.now - p.seen < moment.settle]
        return earliest(*unsettled, *(talk.calls.wake(moment) for talk in self.talks))


class _Count:
    """Counts calls one by one, in order; the conversations that owe stand in the order of their last call."""

    def __init__(self, handovers: Handovers, within: int) -> None:
        self.talks = {talk.trace: talk for talk in handovers.talks}
        self.periods = {period.start: period for period in handovers.periods}
        self._within = within
        owing = sorted((talk for talk in handovers.talks if talk.owed), key=lambda talk: (talk.last, talk.trace))
        self._owing = {talk.trace: len(talk.owed) for talk in owing}
        self._owed = sum(self._owing.values())

    def take(self, trace: str, call: Call) -> None:
        """Count one call."""
        talk, time = self.talks[trace], call.event.event_time
        due, made = call.role.startswith("due"), call.role.endswith("made")
        # Half an hour without a call ends a conversation, and what it still owed is missed.
        idle = time >= talk.last + TRACE_IDLE
        owed = () if idle else tuple(Owed(one.event, one.left - 1) for one in talk.owed)
        self._add(time, due=due, met=due and made, made=made, wanted=made and (due or bool(owed)))
        if made:
            for one in owed:
                self._add(one.event.event_time, met=1)
            owed = ()
        else:
            owed = tuple(one for one in owed if one.left) + ((Owed(call.event, self._within),) if due else ())
        self._owe(replace(talk, owed=owed, last=time))
        while self._owed > MOST_OWED:
            silent = self.talks[next(iter(self._owing))]
            if silent.last + TRACE_IDLE > time:
                for one in silent.owed:
                    self._add(one.event.event_time, given_up=1)
            self._owe(replace(silent, owed=()))

    def _owe(self, talk: Talk) -> None:
        self.talks[talk.trace] = talk
        self._owed += len(talk.owed) - self._owing.pop(talk.trace, 0)
        if talk.owed:
            self._owing[talk.trace] = len(talk.owed)

    def _add(self, time: int, **numbers: int) -> None:
        period = next((p for p in self.periods.values() if p.start <= time < p.end), None)
        if period is not None:
            grown = {name: getattr(period, name) + number for name, number in numbers.items()}
            self.periods[period.start] = replace(period, **grown)


def _bounded(talks: list[Talk]) -> tuple[Talk, ...]:
    """Without the conversations that owe nothing and have been silent for longer than so many others."""
    silent = sorted((talk.last, talk.trace) for talk in talks if not talk.owed and not talk.calls.waiting)
    gone = {trace for _, trace in silent[: max(0, len(silent) - MOST_SILENT)]}
    return tuple(talk for talk in talks if talk.trace not in gone)


def _over(period: Period, moment: Moment, open_from: int) -> bool:
    complete = moment.watermark >= period.end and moment.now - period.seen >= moment.settle
    return complete and period.end <= open_from


def _in_order(periods: dict[int, Period]) -> tuple[Period, ...]:
    return tuple(periods[start] for start in sorted(periods))
