"""The stream's time never runs back, and none passes before every input partition was heard of, whoever tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.engine.judge import Judge
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.watermarks import LONG_AGO, Watermarks
from seamwatch.judging.model.facts import ForwardedEvent, InputPartitions, Measurement, Violation, Watermark
from seamwatch.judging.model.held import Held
from tests.clauses.history import at, contract, estate_of

INFERENCE, REFRESH = "seamwatch.inference", "seamwatch.dataset_refresh"
TWO_EACH = ((INFERENCE, 2), (REFRESH, 2))
FRESH = estate_of(contract("scorer", "- {id: fresh, kind: freshness, max_lag: 1h}"))


def mark(topic: str, partition: int, watermark: int) -> Watermark:
    return Watermark(topic, partition, 0, watermark, caught_up=True)


def told(
    now: int, marks: dict[tuple[str, int], int], inputs: tuple[tuple[str, int], ...] | None = TWO_EACH, as_of: int = 0
) -> Measurement:
    watermarks = tuple(mark(topic, number, time) for (topic, number), time in marks.items())
    return Measurement(now, watermarks, inputs=None if inputs is None else InputPartitions(as_of or now, inputs))


def advanced(*measurements: Measurement) -> Watermarks:
    time = Watermarks()
    for measurement in measurements:
        time.receive(measurement)
        time.advance(measurement)
    return time


def test_no_time_passes_before_all_partitions_were_heard_of() -> None:
    first = {(INFERENCE, 0): 100, (REFRESH, 0): 100}
    time = advanced(told(100, first))
    assert time.lowest == LONG_AGO
    assert [(mark.topic, mark.partition) for mark in time.held_by()] == [(REFRESH, 1), (INFERENCE, 1)]
    time.advance(told(110, {(INFERENCE, 1): 90, (REFRESH, 1): 95}))
    assert time.lowest == 90
    assert [(mark.topic, mark.partition) for mark in time.held_by()] == [(INFERENCE, 1)]


def test_a_partition_that_is_added_is_waited_for_and_does_not_turn_time_back() -> None:
    all_of_them = {(topic, number): 100 for topic, count in TWO_EACH for number in range(count)}
    time = advanced(told(100, all_of_them))
    assert time.lowest == 100
    grown = ((INFERENCE, 3), (REFRESH, 2))
    time.advance(told(200, dict.fromkeys(all_of_them, 200), grown))
    assert time.lowest == 100
    # It is read from its beginning, and its first events are of a time that is over.
    time.advance(told(201, {(INFERENCE, 2): 50}, grown))
    assert time.lowest == 100
    time.advance(told(202, {(INFERENCE, 2): 180}, grown))
    assert time.lowest == 180


def test_who_has_not_heard_yet_that_partitions_were_added_or_a_topic_removed_changes_nothing() -> None:
    every = {(topic, number): 100 for topic, count in TWO_EACH for number in range(count)}
    grown = ((INFERENCE, 3), (REFRESH, 2))
    time = advanced(told(100, every, as_of=90), told(110, {}, grown, as_of=105))
    time.advance(told(111, dict.fromkeys(every, 111), as_of=104))
    assert time.lowest == 100
    # A topic that was deleted is waited for no longer.
    time.advance(told(120, {(INFERENCE, number): 120 for number in range(2)}, ((INFERENCE, 2),), as_of=119))
    assert time.lowest == 120


def test_a_new_owner_that_knows_less_does_not_turn_a_partition_back() -> None:
    every = {(topic, number): 100 for topic, count in TWO_EACH for number in range(count)}
    time = advanced(told(100, every))
    # Whoever takes it over begins with what it measures, though all up to 100 was measured by the one before it.
    time.advance(told(110, {**dict.fromkeys(every, 110), (INFERENCE, 1): 40}))
    assert time.lowest == 100
    time.advance(told(120, dict.fromkeys(every, 120)))
    assert time.lowest == 120


def test_a_dead_process_holds_the_time_of_its_partitions() -> None:
    time = advanced(told(100, {(topic, number): 100 for topic, count in TWO_EACH for number in range(count)}))
    for now in range(110, 1_000, 10):
        time.advance(told(now, {(INFERENCE, 0): now, (REFRESH, 0): now, (REFRESH, 1): now}))
    assert time.lowest == 100
    assert [(mark.topic, mark.partition, mark.watermark) for mark in time.held_by()] == [(INFERENCE, 1, 100)]


def test_measurements_of_a_release_that_knew_no_inputs_move_time_as_they_did() -> None:
    time = advanced(told(100, {(INFERENCE, 0): 100}, None), told(110, {(INFERENCE, 1): 90}, None))
    assert time.lowest == 100
    time.advance(told(130, {(INFERENCE, 0): 130, (INFERENCE, 1): 120}, None))
    assert time.lowest == 120


PLACES = [(topic, number) for topic in (INFERENCE, REFRESH) for number in range(4)]
COUNTS = st.tuples(st.integers(1, 4), st.integers(1, 4))
WORDS = st.tuples(st.dictionaries(st.sampled_from(PLACES), st.integers(0, 1_000)), COUNTS, st.integers(1, 50))


@given(st.lists(WORDS, max_size=12), st.sets(st.integers(0, 11)))
def test_whatever_is_told_in_whatever_order_time_never_runs_back(
    words: list[tuple[dict[tuple[str, int], int], tuple[int, int], int]], restarts: set[int]
) -> None:
    time, before = Watermarks(), LONG_AGO
    records: dict[str, bytes] = {}
    newest = 0
    heard: set[tuple[str, int]] = set()
    there: set[tuple[str, int]] = set()
    for number, (marks, counts, as_of) in enumerate(words):
        inputs = ((INFERENCE, counts[0]), (REFRESH, counts[1]))
        if number in restarts and records:
            time = Watermarks()
            for key, value in records.items():
                assert time.restore(key, value)
        if as_of > newest:
            newest = as_of
            there = {
                (topic, n) for topic, count in zip((INFERENCE, REFRESH), counts, strict=True) for n in range(count)
            }
            heard &= there
        heard |= marks.keys()
        time.receive(told(number, marks, inputs, as_of))
        time.advance(told(number, marks, inputs, as_of))
        records |= time.saved(marks=True)
        assert time.lowest >= before
        if not there <= heard:
            assert time.lowest == before
        before = time.lowest


def found(judge: Judge, *measurements: Measurement) -> list[Violation]:
    return [violation for each in measurements for violation in judge.on_measurement(each).violations]


def test_a_refresh_that_a_silent_process_has_is_not_taken_for_missing() -> None:
    """Two processes of measure, of which one says nothing yet: whether the data set was refreshed is with it."""
    judge = Judge(FRESH, JudgeSettings(lateness=0, settle=0))
    began = at("1h")
    record = {"event_id": "r", "event_time": began, "system": "scorer", "data_as_of": began}
    first = Measurement(
        began, (mark(INFERENCE, 0, began),), (), (ForwardedEvent("dataset_refresh", record, arrived=began),), began,
        inputs=InputPartitions(began, TWO_EACH),
    )  # fmt: skip
    assert found(judge, first) == []
    hours = [began + minutes * MINUTE for minutes in range(0, 5 * 60, 10)]
    one = [told(now, {(INFERENCE, 0): now, (REFRESH, 0): now}) for now in hours]
    assert found(judge, *one) == []
    # The other one has lived all the while: what it read last was refreshed in time.
    late = hours[-1] + SECOND
    again = {"event_id": "s", "event_time": late - 30 * MINUTE, "system": "scorer", "data_as_of": late - 30 * MINUTE}
    refreshed = ForwardedEvent("dataset_refresh", again, arrived=late - 30 * MINUTE)
    other = {(INFERENCE, 1): late - HOUR, (REFRESH, 1): late - HOUR}
    everything = told(late, {**other, (INFERENCE, 0): late, (REFRESH, 0): late})
    (stale,) = found(judge, everything)
    # True by what is known up to an hour ago, and over with what came half an hour ago.
    assert (stale.state, stale.opened_at) == ("open", began + HOUR)
    closing = Measurement(
        late + SECOND,
        tuple(mark(topic, n, late + SECOND) for topic in (INFERENCE, REFRESH) for n in range(2)),
        (),
        (refreshed,),
    )
    assert [violation.state for violation in found(judge, closing)] == ["resolved"]


# What it waited for


def held(*measurements: Measurement) -> tuple[Held, ...]:
    return advanced(*measurements).held


def marks_of(now: int, **late: int) -> dict[tuple[str, int], int]:
    all_of_them = {(topic, number): now for topic, count in TWO_EACH for number in range(count)}
    return all_of_them | ({(REFRESH, 1): late["refresh"]} if late else {})


def test_a_time_that_keeps_up_was_held_by_nothing() -> None:
    assert held(*(told(at() + n * SECOND, marks_of(at() + n * SECOND)) for n in range(5))) == ()


def test_a_pause_of_all_is_held_by_all_and_from_where_time_stood() -> None:
    start, back = at(), at() + MINUTE
    (found,) = held(
        told(start, marks_of(start)), told(back, marks_of(back)), told(back + SECOND, marks_of(back + SECOND))
    )
    assert (found.since, found.until, found.count, found.partitions) == (start, back, 4, 4)
    assert {(topic, number) for topic, number, _ in found.by} == set(marks_of(0))


def test_one_partition_that_is_behind_is_named_from_the_first_until_it_goes_on() -> None:
    start = at()
    behind = [
        told(start + n * SECOND, marks_of(start + n * SECOND, refresh=start + (n // 10) * SECOND)) for n in range(31)
    ]
    after = [told(start + n * SECOND, marks_of(start + n * SECOND)) for n in (31, 32)]
    (found,) = held(told(start, marks_of(start)), *behind, *after)
    assert found == Held(start + 3 * SECOND, start + 31 * SECOND, ((REFRESH, 1, start + 3 * SECOND),), 1, 4)


def test_those_that_are_far_less_behind_than_the_furthest_are_not_named() -> None:
    start, end = at(), at() + 20 * SECOND
    (found,) = held(
        told(start, marks_of(start)),
        told(start + 2 * SECOND, marks_of(start + 2 * SECOND, refresh=start)),
        *(told(end - n * SECOND, marks_of(end - n * SECOND, refresh=start)) for n in (5, 4, 3)),
        told(end, marks_of(end)),
    )
    assert (found.by, found.count, found.partitions) == (((REFRESH, 1, start),), 1, 4)


def test_what_was_never_heard_of_is_named_without_a_time() -> None:
    first = {place: at() for place in marks_of(0) if place != (REFRESH, 1)}
    (found,) = held(told(at(), first), told(at() + SECOND, first))
    assert found == Held(at() + SECOND, at() + SECOND, ((REFRESH, 1, None),), 1, 4)


def test_marks_that_are_older_than_the_time_after_a_restart_are_not_taken_for_what_held_it() -> None:
    before = advanced(told(at(), marks_of(at())))
    saved = before.saved(marks=True)
    before.receive(told(at() + 8 * SECOND, marks_of(at() + 8 * SECOND)))
    before.advance(told(at() + 8 * SECOND, marks_of(at() + 8 * SECOND)))
    again = Watermarks()
    for key, value in (saved | before.saved(marks=False)).items():
        again.restore(key, value)
    again.receive(told(at() + 9 * SECOND, marks_of(at() + 9 * SECOND)))
    assert again.lowest == at() + 8 * SECOND
    assert again.held == ()


def test_those_that_are_behind_are_told_the_furthest_first() -> None:
    time = advanced(told(at(), marks_of(at())), told(at() + MINUTE, marks_of(at() + MINUTE, refresh=at())))
    assert [(mark.topic, mark.partition) for mark in time.behind(30 * SECOND)] == [(REFRESH, 1)]
    assert (time.behind(MINUTE), time.partitions) == ([], 4)


def test_the_longest_and_the_latest_times_at_which_it_was_held_are_known_in_order() -> None:
    pauses = [at() + n * MINUTE + m * SECOND for n in range(5) for m in (0, 1, 31, 32)]
    found = held(*(told(now, marks_of(now)) for now in pauses))
    assert [(each.since - at(), each.until - at()) for each in found] == [
        (n * MINUTE + SECOND, n * MINUTE + 31 * SECOND) for n in range(5)
    ]
    (only,) = held(told(at(), marks_of(at())), *(told(at() + h * HOUR, marks_of(at() + h * HOUR)) for h in (1, 3)))
    assert (only.since, only.until) == (at("1h"), at("3h"))


def test_a_steady_lag_is_told_by_its_length_and_not_from_its_beginning() -> None:
    lagging = [told(at() + n * SECOND, marks_of(at() + (n - 3) * SECOND)) for n in range(60)]
    last = held(*lagging)[-1]
    assert (last.since, last.until) == (at() + 55 * SECOND, at() + 59 * SECOND)
