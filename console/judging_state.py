"""What the stages' state topics say: events late, unknown or of another's id, the judges' time, what is unreadable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from bus.restoring import read_tables
from console.unknown import sentences
from seamwatch.broker import Address
from seamwatch.clock import SystemClock
from seamwatch.durations import MINUTE, SECOND, format_duration
from seamwatch.engine.watermarks import CLOCK_KEY, LONG_AGO, MARKS_KEY
from seamwatch.errors import SeamwatchError
from seamwatch.judging.model.facts import Watermark
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.wire.topics import Topics
from streams.judge.clock_watch import times_in
from streams.judge.late import KEY, OTHERS, late_in
from streams.judge.unknown import KEY as UNKNOWN
from streams.judge.unknown import unknown_in
from streams.measure.reused import KEY as REUSED
from streams.measure.reused import OTHERS as OTHER_PRODUCERS
from streams.measure.reused import reused_in
from streams.unreadable import NAME, unreadable_in

_CLAUSES_TOLD: Final = 3
_LOST_TOLD: Final = 3
_PRODUCERS_TOLD: Final = 3
_PARTITIONS_TOLD: Final = 3
BEHIND: Final = MINUTE
"""So far behind the clock, event time has a reason to be told."""

Found = tuple[str, Literal["ok", "note", "problem"], str]
"""What was looked at, the verdict, and what was found."""


def state_of_judges(
    bootstrap: Address, topics: Topics, present: Mapping[str, Any], patience: float, now: int
) -> Iterator[Found]:
    """What is found in the state of judge and measure, of those topics that are there; ``now`` by the stages' clock.

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
            yield from _event_time(tables, now)
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
    parts = [f"{number:,} for {whose.clause} of {whose.contract} ({whose.system})" for whose, number in first]
    if rest := late.total() - sum(number for _, number in first):
        parts.append(f"{rest:,} for others")
    return (
        "late events",
        "note",
        (
            f"{late.total():,} events came too late to be judged, today and yesterday: {', '.join(parts)}; "
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
    parts = [f"{number:,} of {producer}" for producer, number in named[:_PRODUCERS_TOLD]]
    if rest := reused.total() - sum(number for _, number in named[:_PRODUCERS_TOLD]):
        parts.append(f"{rest:,} of others")
    return (
        "reused ids",
        "problem",
        (
            f"{reused.total():,} events had the id of another event, today and yesterday, and were not judged: "
            f"{', '.join(parts)}; only the first event of an id counts, so give each one of its own"
        ),
    )


def _event_time(tables: Mapping[int, Mapping[str, bytes]], now: int) -> Iterator[Found]:
    """How far the judges' event time is behind what their clock showed when they last heard anything, and why."""
    times = times_in(tables)
    if not times:
        return
    number, slowest = max(times.items(), key=lambda item: item[1].now - item[1].lowest)
    behind = slowest.now - slowest.lowest
    if behind <= BEHIND:
        received = min(time.now for time in times.values())
        if now - received > BEHIND:
            text = f"nothing was heard of since {moment_text(received)}, {format_duration(now - received)} ago"
            yield "event time", "note", f"{text}: no silence is noticed. Does measure run, and judge?"
            return
        yield "event time", "ok", f"at most {max(behind, 0) / SECOND:,.0f} s behind the clock of the stages"
        return
    if slowest.lowest == LONG_AGO:
        where = "has not begun"
    else:
        where = f"stands at {moment_text(slowest.lowest)}, {format_duration(behind)} behind"
    holding = slowest.behind(BEHIND)
    named = "; ".join(_holding(mark, slowest.now) for mark in holding[:_PARTITIONS_TOLD])
    more = f"; and {len(holding) - _PARTITIONS_TOLD} more" if len(holding) > _PARTITIONS_TOLD else ""
    yield (
        "event time",
        "problem",
        (
            f"{where} for partition {number} of the judges, whose clock was at {moment_text(slowest.now)}: no silence "
            f"is noticed before it has gone on. It waits for {len(holding)} of {slowest.partitions} input partitions: "
            f"{named}{more}. See that every process of measure runs and reads"
        ),
    )


def _holding(mark: Watermark, now: int) -> str:
    """A partition that holds the clock back, and since when."""
    place, at = f"{mark.topic}[{mark.partition}]", moment_text(mark.watermark) if mark.watermark != LONG_AGO else ""
    if not at:
        return f"{place}, of which nothing was ever heard"
    if mark.caught_up:
        return f"{place}, of which nothing has been heard since {at}, for {format_duration(now - mark.watermark)}"
    return f"{place}, which has records that are not read, and has got to events of {at}"


def _unreadable(subject: str, tables: Mapping[int, Mapping[str, bytes]]) -> Found:
    count, listed = unreadable_in(tables)
    if not count:
        return subject, "ok", "all of it could be read"
    parts = []
    for lost in listed[:_LOST_TOLD]:
        open_ones = f"; open in it: {', '.join(lost.episodes)}" if lost.episodes else ""
        parts.append(f"{lost.key!r} ({lost.why}{open_ones})")
    more = f", and {count - len(parts):,} more" if count > len(parts) else ""
    return (
        subject,
        "problem",
        (
            f"{count:,} records could not be read and are kept: {', '.join(parts)}{more}. What they are about is "
            "judged anew; docs/operations.md says what to do"
        ),
    )
