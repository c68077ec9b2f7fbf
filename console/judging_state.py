"""What the stages' state topics say: events late, unknown or of another's id, the judges' time, what is unreadable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from console.unknown import sentences
from seamwatch.clock import SystemClock
from seamwatch.durations import MINUTE, SECOND
from seamwatch.errors import SeamwatchError
from seamwatch.instants import format_instant
from seamwatch.judging.stream_time import CLOCK_KEY, LONG_AGO, MARKS_KEY
from seamwatch.wire.topics import Topics
from streams.clock_watch import named, times_in
from streams.late import KEY, OTHERS, late_in
from streams.restoring import read_tables
from streams.reused import KEY as REUSED
from streams.reused import OTHERS as OTHER_PRODUCERS
from streams.reused import reused_in
from streams.unknown import KEY as UNKNOWN
from streams.unknown import unknown_in
from streams.unreadable import NAME, unreadable_in

_CLAUSES_TOLD: Final = 3
_LOST_TOLD: Final = 3
_PRODUCERS_TOLD: Final = 3
BEHIND: Final = MINUTE
"""So far behind the clock, event time has a reason to be told."""

Found = tuple[str, Literal["ok", "note", "problem"], str]
"""What was looked at, the verdict, and what was found."""


def state_of_judges(bootstrap: str, topics: Topics, present: Mapping[str, Any], patience: float) -> Iterator[Found]:
    """What is found in the state of judge and measure, of those topics that are there.

    What cannot be read to its end within ``patience`` seconds is told as a note.
    """
    if topics.judge_state in present:
        partitions = list(present[topics.judge_state].partitions)
        keys = {KEY, NAME, CLOCK_KEY, MARKS_KEY, UNKNOWN}
        try:
            tables = read_tables(bootstrap, topics.judge_state, partitions, patience, wanted=keys.__contains__)
        except SeamwatchError as error:
            yield "late events", "note", str(error)
            yield "unknown", "note", str(error)
        else:
            yield _late(tables)
            yield from _event_time(tables)
            yield _unreadable("state of judge", tables)
            yield from _unknown(tables)
    if topics.measure_state in present:
        partitions = list(present[topics.measure_state].partitions)
        try:
            tables = read_tables(
                bootstrap,
                topics.measure_state,
                partitions,
                patience,
                wanted=lambda key: key.endswith(NAME) or key.startswith(REUSED),
            )
        except SeamwatchError as error:
            yield "state of measure", "note", str(error)
        else:
            yield _reused(tables)
            yield _unreadable("state of measure", tables)


def _late(tables: Mapping[int, Mapping[str, bytes]]) -> Found:
    late = late_in(tables, SystemClock().now())
    if not late:
        return "late events", "ok", "no event came too late to be judged, today or yesterday"
    first = [(whose, number) for whose, number in late.most_common() if whose != OTHERS][:_CLAUSES_TOLD]
    told = [f"{number:,} for {whose.clause} of {whose.contract} ({whose.system})" for whose, number in first]
    if rest := late.total() - sum(number for _, number in first):
        told.append(f"{rest:,} for others")
    return (
        "late events",
        "note",
        (
            f"{late.total():,} events came too late to be judged, today and yesterday: {', '.join(told)}; "
            "a longer `lateness` of the contract allows for more"
        ),
    )


def _unknown(tables: Mapping[int, Mapping[str, bytes]]) -> Iterator[Found]:
    unknown = unknown_in(tables, SystemClock().now())
    if not unknown:
        yield "unknown", "ok", "every clause could be told of every event, today and yesterday"
    for sentence in sentences(unknown, _CLAUSES_TOLD):
        yield "unknown", "note", f"today and yesterday, {sentence}"


def _reused(tables: Mapping[int, Mapping[str, bytes]]) -> Found:
    try:
        reused = reused_in(tables, SystemClock().now())
    except SeamwatchError as error:
        return "reused ids", "note", str(error)
    if not reused:
        return "reused ids", "ok", "no event had the id of another, today or yesterday"
    named = [(producer, number) for producer, number in reused.most_common() if producer != OTHER_PRODUCERS]
    told = [f"{number:,} of {producer}" for producer, number in named[:_PRODUCERS_TOLD]]
    if rest := reused.total() - sum(number for _, number in named[:_PRODUCERS_TOLD]):
        told.append(f"{rest:,} of others")
    return (
        "reused ids",
        "problem",
        (
            f"{reused.total():,} events had the id of another event, today and yesterday, and were not judged: "
            f"{', '.join(told)}; only the first event of an id counts, so give each one of its own"
        ),
    )


def _event_time(tables: Mapping[int, Mapping[str, bytes]]) -> Iterator[Found]:
    """How far the judges' event time is behind what their clock showed when they last heard anything."""
    times = times_in(tables)
    if not times:
        return
    number, slowest = max(times.items(), key=lambda item: item[1].now - item[1].lowest)
    behind = slowest.now - slowest.lowest
    if behind <= BEHIND:
        yield "event time", "ok", f"at most {max(behind, 0) / SECOND:,.0f} s behind the clock of the stages"
        return
    waits = ", ".join(named(slowest.held_by()))
    where = "has not begun" if slowest.lowest == LONG_AGO else f"is at {format_instant(slowest.lowest)}"
    yield (
        "event time",
        "problem",
        (
            f"{where} for partition {number} of the judges, whose clock was at {format_instant(slowest.now)}: no "
            f"silence is noticed before it has gone on. It waits for {waits}"
        ),
    )


def _unreadable(subject: str, tables: Mapping[int, Mapping[str, bytes]]) -> Found:
    count, listed = unreadable_in(tables)
    if not count:
        return subject, "ok", "all of it could be read"
    told = []
    for lost in listed[:_LOST_TOLD]:
        open_ones = f"; open in it: {', '.join(lost.episodes)}" if lost.episodes else ""
        told.append(f"{lost.key!r} ({lost.why}{open_ones})")
    more = f", and {count - len(told):,} more" if count > len(told) else ""
    return (
        subject,
        "problem",
        (
            f"{count:,} records could not be read and are kept: {', '.join(told)}{more}. What they are about is judged "
            "anew; docs/operations.md says what to do"
        ),
    )
