"""From the offending events to the judge's message: what was waited for until a violation was found, and sent.

Pure. All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from seamwatch.durations import SECOND, compact_duration, format_duration
from seamwatch.judging.model.held import Held
from seamwatch.judging.patterns.wording import millis_text
from sinks.store.questions.lateness.agreed import Agreed, agreed_on, bundled_in
from sinks.store.questions.lateness.record import Event, History
from sinks.store.questions.lateness.waits import TOLD, Cause, Station, Wait, outages_text

_LATENESS: Final = 5 * SECOND
_SETTLE: Final = 2 * SECOND
_BACKLOG: Final = 5 * SECOND
"""The defaults, of what was found by a release that did not note them; and how long a backlog may pause."""
_ORDERED: Final = frozenset({"precondition", "escalation"})
"""Kinds that judge each call when nothing before it can come any more."""
_SETTLING: Final = frozenset({"approval", "change_notice"})
"""Kinds that let an event settle, since what would excuse it may come by another topic."""
_OF_OUTCOMES: Final = frozenset({"calibration", "signal"})


def decisive(history: History) -> Event | None:
    """The event without which it could not be found: the one it opened with, else the last of them that came."""
    opened = history.states[0].opened_at
    own = [event for event in history.events if event.event_time == opened]
    if own:
        return min(own, key=lambda event: event.arrived_at)
    before = (event for event in history.events if event.event_time <= opened)
    return max(before, key=lambda event: event.arrived_at, default=None)


def until_sent(history: History) -> Iterator[Station]:
    """The stations up to the message."""
    last = decisive(history)
    for event in history.events:
        is_waited_for = event == last and event.arrived_at > history.states[0].opened_at
        yield from _event(event, is_waited_for=is_waited_for)
    yield _opened(history)
    yield _found(history)
    yield _sent(history)


def _event(event: Event, *, is_waited_for: bool) -> Iterator[Station]:
    """When it happened and when it came; of all of them one is the event without which it could not be found."""
    late = event.arrived_at - event.event_time
    where = f"{event.topic}[{event.partition}], offset {event.offset}"
    whose = f"{event.type} {event.event_id} of producer {event.producer}, by its own time"
    if late < -TOLD:
        whose += f" (the clock of {event.producer} is {format_duration(-late)} ahead of the broker's)"
    if late <= TOLD or not is_waited_for:
        after = f", {format_duration(late)} later" if late > 0 else ""
        yield Station(event.event_time, "event", f"{whose}; at the broker{after}, {where}")
        return
    yield Station(event.event_time, "event", whose)
    text = f"{event.producer} sent it so late, or did not reach the broker, or its clock is behind"
    waited = Wait("producer", event.event_time, event.arrived_at, text)
    yield Station(event.arrived_at, "arrived", f"{event.event_id} came to the broker, {where}", (waited,))


def _opened(history: History) -> Station:
    """When it became true, and what was agreed to happen, or not to, until then."""
    first, event = history.states[0], decisive(history)
    if event is not None and event.event_time == first.opened_at:
        return Station(first.opened_at, "opened", f"the {first.severity} became true with {event.event_id} (opened_at)")
    begins = [at for at in (first.since, *(event.event_time for event in history.events)) if at is not None]
    agreed = agreed_on(history.contract, first.clause, first.opened_at, begins)
    since = agreed.since if agreed is not None else min(begins, default=first.opened_at)
    waits: tuple[Wait, ...] = ()
    if first.opened_at - since > TOLD:
        waits = (Wait("agreed", since, first.opened_at, _why_then(first.clause, agreed)),)
    return Station(first.opened_at, "opened", f"the {first.severity} became true (opened_at)", waits)


def _why_then(clause: str, agreed: Agreed | None) -> str:
    if agreed is None:
        return f"from when it is thought to have begun until it was enough for the rule of clause {clause}"
    name = f"`{agreed.name}: {compact_duration(agreed.lasts)}` of clause {clause}"
    return f"it is judged at the end of its window, {name}" if agreed.is_window else f"so long was agreed, {name}"


def _found(history: History) -> Station:
    at = history.states[0].detected_at
    return Station(
        at, "found", "what shows it was measured, for judge to find it (detected_at)", tuple(_until_found(history))
    )


def _until_found(history: History) -> tuple[Wait, ...]:
    """What was waited for once it was true and its event was there."""
    first, event = history.states[0], decisive(history)
    span = _Span(first.opened_at if event is None else max(first.opened_at, event.arrived_at), first.detected_at)
    lateness, allowed = _lateness(history)
    settle = _SETTLE if first.found is None else first.found.settle
    settling = f"what comes by other partitions is waited for, {format_duration(settle)} (SEAMWATCH_SETTLE)"
    on_event = event is not None and event.event_time == first.opened_at
    if not on_event:
        text = f"what comes up to {allowed} after its time still counts"
        span.take("lateness", first.opened_at + lateness, text)
    elif first.kind in _ORDERED:
        text = f"calls are judged in their order: what was before may come {allowed} late"
        span.take("order", first.opened_at + lateness, text)
    else:
        begins = bundled_in(history.contract, first.clause, first.opened_at)
        text = (
            f"it lies in the first moments of the window that begins {millis_text(begins)}, and what belongs to the "
            f"one before may come {allowed} late"
        )
        span.take("order", begins + lateness, text)
    if event is not None and (not on_event or first.kind in _ORDERED | _SETTLING):
        span.take("settling", event.arrived_at + settle, settling)
    measured = None if event is None else event.arrived_at
    for held in () if first.found is None else first.found.held:
        if held.until <= span.cursor or held.since >= span.end:
            continue
        if held.since - span.cursor <= TOLD or measured is None:
            measured = held.until
        span.reach(held.since, _unknown(history, span.cursor, held.since))
        span.reach(held.until, Wait("partition", 0, 0, _held_text(history, held)))
        span.take("settling", held.until + settle, f"then {settling}")
    if event is not None and measured is not None and measured - event.event_time > lateness:
        text = (
            f"it was measured longer after its time than {allowed}, so it is judged as part of a backlog: when nothing "
            "earlier has come for some seconds"
        )
        span.take("backlog", span.cursor + settle + _BACKLOG, text, at_most=True)
    span.reach(span.end, _unknown(history, span.cursor, span.end))
    return tuple(span.waits)


class _Span:
    """The time from when it could have been found until it was, filled from its beginning with what was waited for."""

    def __init__(self, since: int, until: int) -> None:
        self.cursor, self.end = since, until
        self.waits: list[Wait] = []

    def take(self, cause: Cause, until: int, text: str, *, at_most: bool = False) -> None:
        """It was waited for this, unless it would have taken longer than it took; ``at_most``: or was over before."""
        if at_most or until <= self.end + TOLD:
            self.reach(until, Wait(cause, 0, 0, text))

    def reach(self, until: int, wait: Wait) -> None:
        """It was waited for this until then. A gap that is on the way is not told."""
        until = min(until, self.end)
        if until > self.cursor and self.end - self.cursor > TOLD:
            if wait.cause == "unknown" and until - self.cursor <= TOLD:
                return
            self.waits.append(replace(wait, since=self.cursor, until=until))
            self.cursor = until


def _lateness(history: History) -> tuple[int, str]:
    """How much later than its time an event might come for this clause, and the same in words."""
    first, contract = history.states[0], history.contract
    if contract is not None and contract.lateness is not None:
        whose = f"`lateness` of {first.contract}@{first.contract_version}"
        return contract.lateness, f"{format_duration(contract.lateness)} ({whose})"
    lateness = _LATENESS if first.found is None else first.found.lateness
    return lateness, f"{format_duration(lateness)} (SEAMWATCH_LATENESS)"


def _unknown(history: History, since: int, until: int) -> Wait:
    """What no other reason explains: an outage that is on record, or it is not known."""
    first = history.states[0]
    outages = outages_text(history.outages, since, until, ("measure", "judge", "broker"))
    if outages:
        return Wait("measure", since, until, outages)
    if first.found is None:
        text = "not known: whoever found it did not note what event time waited for"
    elif first.kind in _OF_OUTCOMES:
        text = "not known; clauses on outcomes wait for outcomes that wait for their decisions (SEAMWATCH_JOIN_WITHIN)"
    else:
        text = "not known: event time kept up, and no outage is on record"
    return Wait("unknown", since, until, text)


def _held_text(history: History, held: Held) -> str:
    outages = outages_text(history.outages, held.since, held.until, ("measure", "broker"))
    also = f" ({outages})" if outages else ""
    between = f"from {millis_text(held.since)} to {millis_text(held.until)}"
    if held.count == held.partitions:
        return f"all input partitions were behind {between}: measure was down, hung, starting or behind{also}"
    named = "; ".join(
        f"{topic}[{number}], {'of which nothing was known' if at is None else f'measured up to {millis_text(at)}'}"
        for topic, number, at in held.by
    )
    more = f" and {held.count - len(held.by)} more" if held.count > len(held.by) else ""
    return (
        f"event time stood still or lagged {between}; at last it waited for {held.count} of {held.partitions} input "
        f"partitions: {named}{more}{also}"
    )


def _sent(history: History) -> Station:
    first = history.states[0]
    waits: list[Wait] = []
    begin = first.detected_at
    if first.found is not None and first.found.measured_at is not None:
        measured = max(begin, first.found.measured_at)
        if measured - begin > TOLD:
            waits.append(Wait("measure", begin, measured, "measure took so long to hand on what it had counted"))
        begin = measured
    if first.sent_at - begin > TOLD:
        outages = outages_text(history.outages, begin, first.sent_at, ("judge", "broker"))
        text = outages or "judge was down, hung, starting or behind (no outage is on record; short ones are not)"
        waits.append(Wait("judge", begin, first.sent_at, text))
    return Station(first.sent_at, "sent", "judge had found it, and opened it on its topic, for the pager", tuple(waits))
