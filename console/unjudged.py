"""Unjudged: of which events the stages' states say that they came too late, could not be told or do not count.

Words for `seamwatch doctor`; the counts are those of `streams.late`, `streams.unknown` and `streams.reused`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from console.finding import TIMEOUT_SECONDS, Finding
from console.unknown import recent, sentences
from seamwatch.clock import SystemClock
from seamwatch.errors import SeamwatchError
from seamwatch.wire.topics import Topics

_TOLD: Final = 3


def unjudged(bootstrap: str, topics: Topics, known: Mapping[str, Any]) -> Iterator[Finding]:
    """What the states tell, as far as their topics are among those ``known`` (a broker's metadata by topic)."""
    if topics.judge_state in known:
        yield _late(bootstrap, topics.judge_state, list(known[topics.judge_state].partitions))
        yield from _unknown(bootstrap, topics.prefix)
    if topics.measure_state in known:
        yield _reused(bootstrap, topics.measure_state, list(known[topics.measure_state].partitions))


def _unknown(bootstrap: str, prefix: str) -> Iterator[Finding]:
    try:
        unknown = recent(bootstrap, prefix)
    except SeamwatchError as error:
        yield Finding("unknown", "note", str(error))
        return
    if not unknown:
        yield Finding("unknown", "ok", "every clause could be told of every event, today and yesterday")
    for sentence in sentences(unknown, _TOLD):
        yield Finding("unknown", "note", f"today and yesterday, {sentence}")


def _late(bootstrap: str, state: str, partitions: list[int]) -> Finding:
    from streams.late import OTHERS, read_late

    try:
        late = read_late(bootstrap, state, partitions, SystemClock().now(), TIMEOUT_SECONDS)
    except SeamwatchError as error:
        return Finding("late events", "note", str(error))
    if not late:
        return Finding("late events", "ok", "no event came too late to be judged, today or yesterday")
    first = [(whose, number) for whose, number in late.most_common() if whose != OTHERS][:_TOLD]
    told = [f"{number:,} for {whose.clause} of {whose.contract} ({whose.system})" for whose, number in first]
    if rest := late.total() - sum(number for _, number in first):
        told.append(f"{rest:,} for others")
    return Finding(
        "late events",
        "note",
        f"{late.total():,} events came too late to be judged, today and yesterday: {', '.join(told)}; "
        "a longer `lateness` of the contract allows for more",
    )


def _reused(bootstrap: str, state: str, partitions: list[int]) -> Finding:
    from streams.reused import OTHERS, read_reused

    try:
        reused = read_reused(bootstrap, state, partitions, SystemClock().now(), TIMEOUT_SECONDS)
    except SeamwatchError as error:
        return Finding("reused ids", "note", str(error))
    if not reused:
        return Finding("reused ids", "ok", "no event had the id of another, today or yesterday")
    first = [(producer, number) for producer, number in reused.most_common() if producer != OTHERS][:_TOLD]
    told = [f"{number:,} of {producer}" for producer, number in first]
    if rest := reused.total() - sum(number for _, number in first):
        told.append(f"{rest:,} of others")
    return Finding(
        "reused ids",
        "problem",
        f"{reused.total():,} events had the id of another event, today and yesterday, and were not judged: "
        f"{', '.join(told)}; only the first event of an id counts, so give each one of its own",
    )
