"""Runs of offending windows: when they begin, go on and end, in whatever batches their facts come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.model.judgement import Moment
from seamwatch.judging.patterns.runs import Change, Runs, bundle, occurrences, shares

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


@pytest.mark.parametrize("quiet", [30 * SECOND, 7 * MINUTE, HOUR, 26 * HOUR])
def test_an_episode_ends_the_quiet_time_after_its_last_offending_event(quiet: int) -> None:
    last, window = T0 + 53 * MINUTE + 10 * SECOND + 1, bundle(quiet)
    opened = occurrences(None, fact(last, window=window), passed(last + SECOND), quiet=quiet)
    still = occurrences(opened.state, None, passed(last + quiet - 1), quiet=quiet)
    assert still.changes == ()

    over = occurrences(still.state, None, passed(last + quiet), quiet=quiet)
    assert [(c.what, c.at) for c in over.changes] == [("off", last + quiet)]
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
        ("off", T0 + MINUTE + HOUR),
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


def test_what_may_still_come_before_it_does_not_open_a_second_episode() -> None:
    """Of two events of one window the later is read first: the earlier one ties it to what was before."""
    quiet, late = 30 * SECOND, 5 * SECOND
    first, between, after = T0 + 50 * SECOND, T0 + 79 * SECOND, T0 + 83 * SECOND
    state: Runs | None = None
    told: list[tuple[str, int]] = []
    for now, came in ((first, first), (after, after), (after + SECOND, between), (after + quiet + late, None)):
        offence = None if came is None else fact(came, window=bundle(quiet))
        advance = occurrences(state, offence, Moment(now, now - late), quiet=quiet)
        state = advance.state
        told += [(c.what, c.at) for c in advance.changes if c.what == "off" or len(c.run.evidence) == 1]
    assert told == [("on", first), ("off", after + quiet)]


def test_what_serves_on_and_off_for_longer_than_its_grace_is_a_breach_however_short_the_quiet_time() -> None:
    quiet, grace = MINUTE, 10 * MINUTE
    state: Runs | None = None
    told: list[tuple[str, int]] = []
    for number in range(7):
        time = T0 + number * 2 * MINUTE
        advance = occurrences(state, fact(time, window=bundle(quiet)), passed(time), quiet=quiet, grace=grace)
        state = advance.state
        told += [(c.what, c.at) for c in advance.changes]
    assert told[0] == ("on", T0 + grace)
    alone = occurrences(None, fact(T0, window=bundle(quiet)), passed(T0 + DAY), quiet=quiet, grace=grace)
    assert (alone.changes, alone.state) == ((), None)


def test_a_shorter_quiet_time_takes_hold_of_what_an_earlier_version_has_counted() -> None:
    before = occurrences(None, fact(T0 + 10 * MINUTE, T0 + 12 * MINUTE), passed(T0 + 13 * MINUTE), quiet=DAY)
    quiet = 30 * SECOND
    after = occurrences(before.state, None, passed(T0 + 14 * MINUTE), quiet=quiet)
    assert [(c.what, c.at) for c in after.changes] == [("off", T0 + 12 * MINUTE + quiet)]
    again = occurrences(
        after.state, fact(T0 + 20 * MINUTE, window=bundle(quiet)), passed(T0 + 20 * MINUTE), quiet=quiet
    )
    assert [(c.what, c.at) for c in again.changes] == [("on", T0 + 20 * MINUTE)]


LATENESS = 5 * SECOND
Told = dict[int, tuple[int, tuple[str, ...], int | None]]
"""By the start of the window it began in: when it opened, its evidence, and when it was over."""


def clusters(times: list[int], quiet: int) -> Told:
    """The episodes as the rule is worded: events that no quiet time lies between."""
    found: list[list[int]] = []
    for time in sorted(times):
        if found and time < found[-1][-1] + quiet:
            found[-1].append(time)
        else:
            found.append([time])
    window = bundle(quiet)
    return {
        times[0] // window * window: (times[0], tuple(f"e{t}" for t in times[:5]), times[-1] + quiet) for times in found
    }


@given(
    quiet=st.sampled_from([SECOND, 30 * SECOND, 10 * MINUTE, HOUR, 3 * HOUR]),
    offsets=st.lists(st.integers(0, 1_200), min_size=1, max_size=30, unique=True),
    delays=st.lists(st.integers(0, LATENESS - 1), min_size=30, max_size=30),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_however_events_are_batched_and_delayed_the_episodes_are_those_of_the_rule(
    quiet: int, offsets: list[int], delays: list[int], cuts: list[int]
) -> None:
    times = [T0 + offset * quiet // 60 + offset for offset in offsets]
    coming = sorted((time + delay, time) for time, delay in zip(times, delays, strict=False))
    window, state, told = bundle(quiet), None, Told()

    def follow(changes: tuple[Change, ...]) -> None:
        for change in changes:
            ids = tuple(e.event_id for e in change.run.evidence)
            told[change.run.first] = (change.run.opened_at(), ids, change.at if change.what == "off" else None)

    while coming:
        batch, coming = coming[: cuts[0]], coming[cuts[0] :]
        cuts = [*cuts[1:], cuts[0]]
        windows: dict[int, list[int]] = {}
        for _, time in batch:
            windows.setdefault(time // window, []).append(time)
        now = batch[-1][0] + 1
        for part in sorted(windows):
            # What is measured is judged before the clock goes on.
            before = Moment(now, batch[0][0] - LATENESS)
            advance = occurrences(state, fact(*windows[part], window=window), before, quiet=quiet)
            state = advance.state
            follow(advance.changes)
        advance = occurrences(state, None, Moment(now, now - LATENESS), quiet=quiet)
        state = advance.state
        follow(advance.changes)
    follow(occurrences(state, None, passed(max(times) + quiet + 2 * LATENESS), quiet=quiet).changes)
    assert told == clusters(times, quiet)
