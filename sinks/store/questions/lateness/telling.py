"""From the judge's message to a person: who was tried by which channel, when, and what was waited for in between.

Pure. All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seamwatch.durations import SECOND, compact_duration
from seamwatch.paging import DELIVERED
from sinks.store.questions.lateness.record import History, State, Try
from sinks.store.questions.lateness.waits import TOLD, Station, Wait, outages_text


def after_sent(history: History) -> Iterator[Station]:
    """The stations from the message on, for each step of the escalation list, to the end."""
    for state in _steps(history.states):
        if state.step:
            yield _climbed(history, state)
        yield from _tries(history, state)
    last = history.states[-1]
    if last.acknowledged_at is not None:
        yield Station(last.acknowledged_at, "acknowledged", f"{last.acknowledged_by} acknowledged it")
    if last.resolved_at is not None:
        yield Station(last.resolved_at, "resolved", "it was over (resolved_at)")


def _steps(states: Sequence[State]) -> Iterator[State]:
    """The first state of each step of the escalation list."""
    seen: set[int] = set()
    for state in states:
        if state.step not in seen:
            seen.add(state.step)
            yield state


def _tries(history: History, state: State) -> Iterator[Station]:
    failed: Try | None = None
    for number, each in enumerate(each for each in history.tries if each.step == state.step):
        waits: tuple[Wait, ...] = ()
        if number == 0:
            waits = tuple(_until_tried(history, state, each))
        elif failed is not None and each.sent_at - failed.ended_at > TOLD:
            text = "after a try that failed the next is a pause later: 5 s at first, then twice as long, up to 5 min"
            waits = (Wait("pause", failed.ended_at, each.sent_at, text),)
        yield from _try(each, waits)
        failed = failed if each.result == DELIVERED else each


def _until_tried(history: History, state: State, first: Try) -> Iterator[Wait]:
    # What comes in one burst is gathered, and what is open is looked through every two seconds.
    if first.sent_at - state.sent_at > TOLD + SECOND:
        outages = outages_text(history.outages, state.sent_at, first.sent_at, ("page", "broker"))
        text = (
            outages or "the pager was down, hung, starting or busy; no outage of it is on record (short ones are not)"
        )
        yield Wait("pager", state.sent_at, first.sent_at, text)


def _try(each: Try, waits: tuple[Wait, ...]) -> Iterator[Station]:
    whom, delivered = f"{each.person} by {each.channel}", each.result == DELIVERED
    if each.ended_at - each.sent_at > TOLD:
        yield Station(each.sent_at, "tried", f"the pager calls {whom}", waits)
        text = f"{each.channel} took so long to take it" if delivered else f"{each.channel}: {each.result}"
        waits = (Wait("channel", each.sent_at, each.ended_at, text),)
    said = "delivered to" if delivered else "NOT delivered to"
    why = "" if delivered or each.ended_at - each.sent_at > TOLD else f": {each.result}"
    yield Station(each.ended_at, "delivered" if delivered else "failed", f"{said} {whom}{why}", waits)


def _climbed(history: History, state: State) -> Station:
    former = next((each for each in history.states if each.step == state.step - 1), history.states[0])
    steps = () if history.contract is None else history.contract.escalation
    named = (step for step in steps if step.person == former.person)
    by_rota = (step for step in steps[former.step : former.step + 1] if step.rota is not None)
    within = next((step.acknowledge_within for step in (*named, *by_rota)), None)
    had = "" if within is None else f", who had {compact_duration(within)} (`acknowledge_within`)"
    waited = Wait(
        "answer", former.sent_at, state.sent_at, f"nobody had acknowledged it: it was with {former.person}{had}"
    )
    return Station(
        state.sent_at, "escalated", f"it went on to {state.person or 'nobody'}, step {state.step}", (waited,)
    )
