"""Runs of offending windows: when they begin, go on and end, in whatever batches their facts come."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.judging.facts import Evidence, Fact
from seamwatch.judging.judgement import Moment
from seamwatch.judging.runs import Change, Runs, occurrences, shares

T0 = 1_760_000_400 * SECOND  # on the hour


def fact(*times: int, count: int | None = None, window: int = HOUR) -> Fact:
    """A fact whose offending events are at ``times`` (one window's), of ``count`` events."""
    start = times[0] // window * window
    evidence = tuple(sorted(Evidence(t, f"e{t}") for t in times))[:5]
    return Fact(
        "c",
        "1",
        "d",
        "x",
        "s",
        None,
        start,
        window,
        count or len(times),
        len(times),
        min(times),
        max(times),
        evidence=evidence,
    )


def passed(now: int) -> Moment:
    return Moment(now, now)


def test_the_first_offending_event_opens_at_once_and_names_its_window() -> None:
    advance = occurrences(None, fact(T0 + 5 * MINUTE), passed(T0 + 5 * MINUTE + SECOND), quiet=HOUR)

    assert [(c.what, c.at, c.run.first) for c in advance.changes] == [("on", T0 + 5 * MINUTE, T0)]


def test_an_episode_waits_until_every_earlier_window_is_complete() -> None:
    early = occurrences(None, fact(T0 + SECOND), Moment(T0 + SECOND, T0 - 4 * SECOND), quiet=HOUR)
    assert early.changes == ()
    assert early.deadline == T0

    later = occurrences(early.state, None, passed(T0 + 6 * SECOND), quiet=HOUR)
    assert [(c.what, c.at) for c in later.changes] == [("on", T0 + SECOND)]


def test_a_whole_quiet_window_ends_the_episode() -> None:
    opened = occurrences(None, fact(T0 + MINUTE), passed(T0 + 2 * MINUTE), quiet=HOUR)
    still = occurrences(opened.state, None, passed(T0 + HOUR + 59 * MINUTE), quiet=HOUR)
    assert still.changes == ()

    over = occurrences(still.state, None, passed(T0 + 2 * HOUR), quiet=HOUR)
    assert [(c.what, c.at) for c in over.changes] == [("off", T0 + 2 * HOUR)]
    assert over.state is None


def test_offending_again_after_a_quiet_window_is_a_new_episode() -> None:
    state: Runs | None = None
    changes: list[Change] = []
    for offence in (fact(T0 + MINUTE), fact(T0 + 3 * HOUR)):
        advance = occurrences(state, offence, passed(T0), quiet=HOUR)
        state, changes = advance.state, [*changes, *advance.changes]
    changes += occurrences(state, None, passed(T0 + 3 * HOUR + MINUTE), quiet=HOUR).changes

    assert [(c.what, c.at) for c in changes] == [
        ("on", T0 + MINUTE),
        ("off", T0 + 2 * HOUR),
        ("on", T0 + 3 * HOUR),
    ]


def test_a_conversation_has_one_episode_even_after_a_pause() -> None:
    opened = occurrences(None, fact(T0), passed(T0), once=True, quiet=HOUR)
    ended = occurrences(opened.state, None, passed(T0 + 2 * HOUR), once=True, quiet=HOUR)
    assert [c.what for c in ended.changes] == ["off"]

    again = occurrences(ended.state, fact(T0 + 3 * HOUR), passed(T0 + 3 * HOUR), once=True, quiet=HOUR)
    assert again.changes == ()
    gone = occurrences(again.state, None, passed(T0 + 2 * DAY), once=True, quiet=HOUR)
    assert gone.state is None


def test_what_stops_within_its_grace_was_never_a_breach() -> None:
    begun = occurrences(None, fact(T0), passed(T0), grace=3 * HOUR, quiet=HOUR)
    assert begun.changes == ()
    over = occurrences(begun.state, None, passed(T0 + 4 * HOUR), grace=3 * HOUR, quiet=HOUR)
    assert over.changes == ()
    assert over.state is None


def test_what_goes_on_after_its_grace_opens_when_the_grace_is_over() -> None:
    state: Runs | None = None
    told: list[tuple[int, str, int]] = []
    for hour in range(3):
        advance = occurrences(state, fact(T0 + hour * HOUR), passed(T0 + hour * HOUR), grace=2 * HOUR, quiet=HOUR)
        state = advance.state
        told.extend((hour, c.what, c.at) for c in advance.changes)
    assert set(told) == {(2, "on", T0 + 2 * HOUR)}


def test_a_fact_for_a_window_judged_already_is_late_and_changes_nothing() -> None:
    first = shares(None, fact(T0, count=10), passed(T0 + 2 * HOUR), tolerate=0.05, min_count=1)
    assert [c.what for c in first.changes] == ["on"]
    late = shares(first.state, fact(T0 + MINUTE, count=1), passed(T0 + 2 * HOUR), tolerate=0.05, min_count=1)
    assert (late.late, late.changes, late.state) == (1, (), first.state)


def test_a_share_is_judged_when_its_window_is_complete_and_large_enough() -> None:
    filling = shares(None, fact(T0, count=10), passed(T0 + MINUTE), tolerate=0.2, min_count=10)
    assert (filling.changes, filling.deadline) == ((), T0 + HOUR)
    more = shares(
        filling.state, fact(T0 + MINUTE, T0 + 2 * MINUTE, count=4), passed(T0 + 3 * MINUTE), tolerate=0.2, min_count=10
    )
    done = shares(more.state, None, passed(T0 + HOUR), tolerate=0.2, min_count=10)
    assert [(c.what, c.at, c.run.share) for c in done.changes] == [("on", T0 + HOUR, 3 / 14)]

    small = shares(None, fact(T0, count=9), passed(T0 + 2 * HOUR), tolerate=0.2, min_count=10)
    assert small.changes == ()


def test_old_windows_that_arrive_in_bulk_are_judged_after_they_have_settled() -> None:
    now = T0 + DAY
    arrived = shares(None, fact(T0, count=2), Moment(now, now, settle=2 * SECOND), tolerate=0.1, min_count=1)
    assert (arrived.changes, arrived.wake) == ((), now + 2 * SECOND)
    second = now + SECOND
    more = shares(
        arrived.state, fact(T0 + MINUTE, count=3), Moment(second, second, settle=2 * SECOND), tolerate=0.1, min_count=1
    )
    later = now + 4 * SECOND
    done = shares(more.state, None, Moment(later, later, settle=2 * SECOND), tolerate=0.1, min_count=1)
    assert [(c.what, c.run.share) for c in done.changes] == [("on", 2 / 5)]


@given(
    offsets=st.lists(st.integers(0, 9 * 60), min_size=1, max_size=25, unique=True),
    cuts=st.sets(st.integers(1, 24)),
    seed=st.integers(0, 1000),
)
def test_batching_never_changes_the_episodes(offsets: list[int], cuts: set[int], seed: int) -> None:
    """Events of ten hours, split into flushes anywhere and shuffled within a flush, give the same episodes."""
    times = sorted(T0 + minute * MINUTE for minute in offsets)

    def run(batches: list[list[int]]) -> dict[int, tuple[int, tuple[str, ...], int | None]]:
        state: Runs | None = None
        episodes: dict[int, tuple[int, tuple[str, ...], int | None]] = {}

        def follow(changes: tuple[Change, ...]) -> None:
            for change in changes:
                began = change.run.first
                ids = tuple(e.event_id for e in change.run.evidence)
                episodes[began] = (change.run.opened_at(), ids, change.at if change.what == "off" else None)

        watermark = T0
        for batch in batches:
            windows: dict[int, list[int]] = {}
            for t in batch:
                windows.setdefault(t // HOUR, []).append(t)
            for window in sorted(windows):
                advance = occurrences(state, fact(*windows[window]), passed(watermark), quiet=HOUR)
                state = advance.state
                follow(advance.changes)
            watermark = max(batch)
            advance = occurrences(state, None, passed(watermark), quiet=HOUR)
            state = advance.state
            follow(advance.changes)
        follow(occurrences(state, None, passed(T0 + 20 * HOUR), quiet=HOUR).changes)
        return episodes

    edges = [0, *sorted(c for c in cuts if c < len(times)), len(times)]
    batches = [times[a:b] for a, b in pairwise(edges) if a < b]
    for batch in batches:
        random.Random(seed).shuffle(batch)
    assert run(batches) == run([[t] for t in times])
