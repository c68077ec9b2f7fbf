"""The stream's time never runs back, and none passes before every input partition was heard of, whoever tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.judging.facts import ForwardedEvent, Inputs, Measurement, Violation, Watermark
from seamwatch.judging.judge import Judge, JudgeSettings
from seamwatch.judging.stream_time import LONG_AGO, StreamTime
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
    return Measurement(now, watermarks, inputs=None if inputs is None else Inputs(as_of or now, inputs))


def advanced(*measurements: Measurement) -> StreamTime:
    time = StreamTime()
    for measurement in measurements:
        time.hear(measurement)
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
    time, before = StreamTime(), LONG_AGO
    records: dict[str, bytes] = {}
    newest = 0
    heard: set[tuple[str, int]] = set()
    there: set[tuple[str, int]] = set()
    for number, (marks, counts, as_of) in enumerate(words):
        inputs = ((INFERENCE, counts[0]), (REFRESH, counts[1]))
        if number in restarts and records:
            time = StreamTime()
            for key, value in records.items():
                assert time.restore(key, value)
        if as_of > newest:
            newest = as_of
            there = {
                (topic, n) for topic, count in zip((INFERENCE, REFRESH), counts, strict=True) for n in range(count)
            }
            heard &= there
        heard |= marks.keys()
        time.hear(told(number, marks, inputs, as_of))
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
        inputs=Inputs(began, TWO_EACH),
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
