"""Unannounced: versions and digests that traffic shows before anybody has announced them.

Each value is a run of its own, by the rule of occurrences; an announcement ends it. All of them are one state, so they
are bounded: the windows that wait are shared among the values, and beyond `VALUES_KEPT` the values make room whose last
traffic is the oldest. Values in, changes out; the words are the clause's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from seamwatch.judging.facts import Fact
from seamwatch.judging.judgement import Moment
from seamwatch.judging.runs import Change, Run, Runs, occurrences
from seamwatch.judging.windows import MOST_WINDOWS, earliest

VALUES_KEPT = 500

Traffic = tuple[tuple[str, Runs], ...]
"""The values that nobody announced, with their traffic."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a value's run; ``crowded``: it is over because too many other values came after it."""

    value: str
    change: Change
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """The traffic that is left, what changed, and when to be asked again."""

    traffic: Traffic
    seen: tuple[Seen, ...]
    deadline: int | None
    wake: int | None
    late: int


def followed(
    traffic: Traffic, announced: Mapping[str, int], fact: Fact | None, moment: Moment, *, quiet: int
) -> Followed:
    """The traffic after a fact, or after time alone; ``announced`` says when each value was (micros)."""
    values = dict(traffic)
    value_of = fact.slice if fact is not None and fact.breaches else None
    if value_of is not None and fact is not None:
        first = fact.evidence[0].event_time
        if value_of not in announced or (value_of not in values and first < announced[value_of]):
            values.setdefault(value_of, Runs())
    kept: dict[str, Runs] = {}
    seen: list[Seen] = []
    deadline: int | None = None
    wake: int | None = None
    late = 0
    most = MOST_WINDOWS // max(1, len(values))
    for value, runs in values.items():
        mine = replace(fact, measure="", count=fact.breaches) if fact is not None and value == value_of else None
        if value in announced:
            seen += (Seen(value, change) for change in _announced(announced[value], runs, mine))
            continue
        advance = occurrences(runs, mine, moment, quiet=quiet, hold=True, most=most)
        seen += (Seen(value, change) for change in advance.changes)
        deadline, wake = earliest(deadline, advance.deadline), earliest(wake, advance.wake)
        late += advance.late
        if advance.state is not None:
            kept[value] = advance.state
    seen += _crowded(kept, quiet)
    return Followed(tuple(kept.items()), tuple(seen), deadline, wake, late)


def _announced(at: int, runs: Runs, fact: Fact | None) -> tuple[Change, ...]:
    # Served first and announced afterwards: it was a breach in between, even if nobody had been told yet.
    run = _run_so_far(runs, () if fact is None else (fact,))
    first = run.evidence[0].event_time if run is not None else at
    was_open = runs.run is not None and runs.run.open
    if run is None or (not was_open and first >= at):
        return ()
    return Change("on", run, first), Change("off", run, max(at, first))


def _crowded(traffic: dict[str, Runs], quiet: int) -> Iterator[Seen]:
    """Takes out the values beyond what is kept whose last traffic is the oldest; what was open of them is over."""
    if len(traffic) <= VALUES_KEPT:
        return
    last = {value: _last(runs) for value, runs in traffic.items()}
    oldest = sorted(last, key=lambda value: (last[value], value))
    for value in oldest[: len(oldest) - VALUES_KEPT]:
        run = _run_so_far(traffic.pop(value), ())
        if run is not None:
            yield Seen(value, Change("on", run, run.evidence[0].event_time))
            yield Seen(value, Change("off", run, run.quiet_at(quiet)), crowded=True)


def _run_so_far(runs: Runs, more: tuple[Fact, ...]) -> Run | None:
    """The run that is open, or the one that what waits will open."""
    if runs.run is not None and runs.run.open:
        return runs.run
    waiting = [window.fact for window in runs.windows.filling] + list(more)
    if not waiting:
        return None
    first, last = waiting[0], max(fact.last_time for fact in waiting)
    return Run(first.window_start, waiting[-1].window_start, first.window, first.evidence, open=True, offended=last)


def _last(runs: Runs) -> int:
    if runs.windows.filling:
        return runs.windows.filling[-1].start
    return runs.run.last if runs.run is not None else 2**62
