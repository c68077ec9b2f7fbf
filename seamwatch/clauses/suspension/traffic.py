"""Traffic of what is suspended: which windows of it went on in spite of that, as runs. Pure.

It does not matter in which order traffic and claims are heard of: traffic waits until nothing can be said any more of
the time before it, and is held to what was said then. Traffic that is fresh is held to it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from seamwatch.clauses.suspension.state import MOST_OF_HISTORY, MOST_PASSED, WINDOW, GoingOn, Named, Passed
from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.runs import Advance, Change, Runs, bundle, occurrences
from seamwatch.judging.patterns.suspensions import Claim, Span, spans, targets
from seamwatch.judging.patterns.windows import earliest

FRESH: Final = 10 * SECOND
"""What came so soon after its time is held at once to what was said: more about that time is not to be expected."""
_LOOKED_BACK: Final = 200


@dataclass(frozen=True, slots=True)
class Went:
    """What changed of the traffic of a span: it went on, or that is over. ``name`` is that of the run."""

    name: str
    span: Span
    change: Change


@dataclass(frozen=True, slots=True)
class Looked:
    """What is left after a look at the traffic, what changed, and when to look again (event time; the stream's clock).

    ``late``: windows that came too late to change what was found.
    """

    passed: tuple[Passed, ...]
    going_on: tuple[GoingOn, ...]
    went: tuple[Went, ...]
    deadline: int | None
    wake: int | None
    late: int


def with_traffic(passed: tuple[Passed, ...], fact: Fact, of: Named, now: int) -> tuple[Passed, ...]:
    """The windows with one more, or an earlier first event of one that is there."""
    first, name = fact.evidence[0], fact.slice or ""
    for number in range(len(passed) - 1, max(-1, len(passed) - 1 - _LOOKED_BACK), -1):
        other = passed[number]
        if other.start == fact.window_start and other.of == of and other.name == name:
            if other.first <= first:
                return passed
            return (*passed[:number], replace(other, first=first, told=()), *passed[number + 1 :])
    return (*passed, Passed(of, name, fact.window_start, first, now))


def looked(
    seam: Seam,
    clause: str,
    claims: Sequence[Claim],
    passed: tuple[Passed, ...],
    going_on: Sequence[GoingOn],
    moment: Moment,
    *,
    quiet: int,
    by_contract: bool,
) -> Looked:
    """Hold the traffic to the claims, and let time pass. ``by_contract``: whether a contract may suspend the system."""
    in_history = moment.settle == 0
    wait = in_history and by_contract
    too_many = len(passed) - (MOST_OF_HISTORY if in_history else MOST_PASSED)
    runs = {each.span: each.runs for each in going_on}
    went: list[Went] = []
    deadlines: list[int | None] = []
    wakes: list[int | None] = []
    late = 0
    for span in (span for target in targets(claims) for span in spans(claims, target)):
        # Of a breach that happened earlier and was found later the run that goes on keeps its name.
        name = next((each for each in span.names if each in runs), span.by.suspension_id)
        told = list(passed)
        for number, one in enumerate(passed):
            if _went_on(one, span) and (number < too_many or _ready(one, moment, wait=wait)):
                told[number] = replace(one, told=(*one.told, span.by.target))
                fact = _fact(seam, clause, one.first, bundle(quiet))
                before = runs.get(name, Runs())
                # All of them first: a window that is over is looked at once.
                windows = None if fact.window_end <= before.windows.done else before.windows.put(fact, one.arrived)
                late += windows is None
                runs[name] = before if windows is None else replace(before, windows=windows)
        passed = tuple(told)
        if name in runs:
            advance = _with_time(runs[name], span, moment, quiet)
            runs[name] = advance.state or Runs()
            went.extend(Went(name, span, change) for change in advance.changes)
            deadlines.append(advance.deadline)
            wakes.append(advance.wake)
        over = _over_at(span)
        deadlines.append(over if over is not None and over > moment.watermark else None)
    left = _left(passed, too_many, moment, wait=wait)
    deadlines.append(look_again(left, moment, waiting=bool(claims) or wait))
    kept = tuple(GoingOn(name, each) for name, each in runs.items() if each != Runs())
    return Looked(left, kept, tuple(went), earliest(*deadlines), earliest(*wakes), late)


def _left(passed: tuple[Passed, ...], too_many: int, moment: Moment, *, wait: bool) -> tuple[Passed, ...]:
    """The windows without the first of them that are over, and without the first where they are too many.

    They stand in the order in which they came, and are looked at up to the first that is not over: each is looked at
    about once, however many there are. What is over behind it can be held to nothing more, and stays a while longer.
    """
    number = max(0, too_many)
    while number < len(passed) and _over(passed[number], moment, wait=wait):
        number += 1
    return passed[number:] if number else passed


def _went_on(one: Passed, span: Span) -> bool:
    if not one.is_of(span.by.target) or span.by.target in one.told or one.start < span.held_from:
        return False
    return span.end is None or one.first.event_time < span.end


def _ready(one: Passed, moment: Moment, *, wait: bool) -> bool:
    if one.first.event_time <= moment.watermark:
        return True
    return not wait and (moment.settle == 0 or moment.now - one.first.event_time <= FRESH)


def _over(one: Passed, moment: Moment, *, wait: bool) -> bool:
    """Whether nothing can come any more that would be said of the time before it."""
    if moment.settle == 0 and not wait:
        return True  # a history is in order
    if wait:
        return one.first.event_time <= moment.watermark
    return one.end <= moment.watermark and moment.now - one.arrived >= moment.settle


def look_again(left: Sequence[Passed], moment: Moment, *, waiting: bool) -> int | None:
    """When to look at what is left (event time): soon where there is something to hold it to, else now and then."""
    if not left:
        return None
    if waiting:
        # Of a history, which may have very many and is in order, the first.
        times = (one.first.event_time for one in (left[:1] if moment.settle == 0 else left))
        return min((at for at in times if at > moment.watermark), default=moment.watermark + SECOND)
    # Each fact would move it on, and cost a timer: rounded up, it moves rarely.
    last = left[-1].end + FRESH
    return max(last - last % -(3 * FRESH), moment.watermark + SECOND)


def _fact(seam: Seam, clause: str, event: Evidence, window: int) -> Fact:
    at = event.event_time
    return Fact(
        seam.contract, seam.contract_version, seam.contract_digest, clause, seam.system, None, at - at % window, window,
        1, 1, first_time=at, last_time=at, evidence=(event,),
    )  # fmt: skip


def _over_at(span: Span) -> int | None:
    """From when on nothing can come any more of before its end."""
    return None if span.end is None else span.end + WINDOW


def _with_time(runs: Runs, span: Span, moment: Moment, quiet: int) -> Advance:
    """The run of a span when time has passed: it is over when nothing comes for long, or the span is."""
    advance, over = occurrences(runs, None, moment, quiet=quiet), _over_at(span)
    if span.end is None or over is None or over > moment.watermark:
        return advance
    left = advance.state or Runs()
    if any(not window.settled(moment) for window in left.windows.filling):
        return advance  # what is told of it may not be all yet
    ended = (Change("off", left.run, span.end),) if left.run is not None and left.run.open else ()
    return Advance(None, (*advance.changes, *ended))
