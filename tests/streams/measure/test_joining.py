"""Outcomes that wait for their decisions: pieces of any size, answers in any order, crashes, a store that is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import polars as pl
import pytest
from confluent_kafka import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.batches import PartitionMessages
from seamwatch.clock import SystemClock
from seamwatch.durations import DAY, MINUTE
from seamwatch.errors import StoreError, UnreachableError
from seamwatch.judging.model.facts import Fact, Watermark
from seamwatch.judging.model.measure import UNJUDGED
from seamwatch.testing import event_id
from seamwatch.wire.text import record_of
from streams.measure import joining as module
from streams.measure.decisions import DECISION, Decisions
from streams.measure.dedup import RecentIds
from streams.measure.intake import Intake
from streams.measure.joining import Joining, Limits
from streams.measure.plan import Plan
from streams.measure.waiting import CHUNK_ROWS, ROW, Waiting
from streams.metrics import Metrics
from tests.clauses.history import T0, contract, estate_of
from tests.streams.stages import CODEC
from tests.waiting import PATIENCE, wait_for

ESTATE = estate_of(
    contract(
        "scorer",
        """
- {id: right, kind: signal, signal: accuracy, min: 0.5, by: cohort}
- {id: labelled, kind: signal, signal: accuracy, min: 0.5, correct: label = 1}
""",
    )
)


def sent(number: int, inference: str, score: float | None = None, **fields: Any) -> Message:
    record = record_of({
        "type": "outcome", "event_time": T0 + number, "event_id": event_id(f"o{number}"), "system": "scorer",
        "label": 1.0, "inference_id": inference, "score": score, "cohort": None, "observed_at": T0, **fields,
    })[1]  # fmt: skip
    return Message(
        topic="seamwatch.outcome", partition=number % 3, offset=number, value=CODEC.encode("outcome", record),
        timestamp=(2, time.time_ns() // 1_000_000),
    )  # fmt: skip


class Store:
    """Answers at once what is in it; ``away`` raises instead."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, float | None, str | None, str]] = {}
        self.away: Exception | None = None
        self.asked: list[str] = []

    def decide(self, key: str, score: float | None, cohort: str | None = None, system: str = "scorer") -> None:
        self.rows[key] = (system, key, score, cohort, "v1")

    def find(self, ids: Sequence[str]) -> pl.DataFrame:
        self.asked += ids
        if self.away is not None:
            raise self.away
        return pl.DataFrame([self.rows[key] for key in ids if key in self.rows], schema=DECISION, orient="row")


class Stage:
    """A measure without its loop: what it was sent, the state topic, and the facts that were committed."""

    def __init__(self, store: Store | None, limits: Limits | None = None) -> None:
        self.store, self.limits = store, limits or Limits(15 * MINUTE, DAY)
        self.topic: dict[str, bytes] = {}
        self.facts: list[Fact] = []
        self.start()

    def start(self) -> None:
        self.plan, self.metrics = Plan(ESTATE), Metrics("measure")
        decisions = cast(Decisions, self.store) if self.store is not None else None
        self.joining = Joining(
            decisions, self.limits, self.plan, CODEC, self.metrics, topic="seamwatch.outcome", state="state",
            partitions=2,
        )  # fmt: skip
        self.joining.restore(self.topic)
        self.plan.meet(["scorer"])
        columns = self.plan.columns("outcome")
        self.intake = Intake("outcome", CODEC, SystemClock(), 2**60, RecentIds(64), columns, cast(Any, None))

    def round(self, *messages: Message, crash: bool = False) -> None:
        """One round of the loop; nothing of it is left when it crashes before it commits."""
        facts = self.joining.turn()
        runs = [PartitionMessages("seamwatch.outcome", m.partition() or 0, [m]) for m in messages]
        if runs:
            taken = self.intake.new(self.intake.decode(runs))
            held = self.joining.hold(taken, self.plan.unjoined(taken.frame))
            facts += self.plan.facts("outcome", held.frame, held.position)
        outputs = list(self.joining.outputs())
        if crash:
            self.start()
            return
        self.facts += facts
        for output in outputs:
            key = (output.key or b"").decode()
            assert output.partition == int(key.split("/")[0]) % 2
            if output.value is None:
                del self.topic[key]
            else:
                self.topic[key] = output.value

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end
            if self.joining.due():
                self.round()
            time.sleep(0.001)

    def counted(self, clause: str) -> dict[str | None, int]:
        counts: dict[str | None, int] = {}
        for fact in self.facts:
            if fact.count and fact.clause == clause and not fact.measure.startswith(UNJUDGED):
                counts[fact.slice] = counts.get(fact.slice, 0) + fact.count
        return counts

    @property
    def waiting(self) -> int:
        return len(self.joining._waiting)

    def unfound(self, why: str) -> float:
        return float(self.metrics.unfound.labels(why)._value.get())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(module, "AWAY_PAUSE", 0.02)


def test_what_carries_all_is_measured_at_once_and_the_rest_when_the_store_has_told() -> None:
    store = Store()
    store.decide("i2", 0.9, "north")
    stage = Stage(store)
    stage.round(sent(1, "i1", 0.9, cohort="south"), sent(2, "i2"), sent(3, "i3", 0.9))
    assert stage.counted("right") == {"south": 1}
    assert stage.joining.earliest(lambda _: 7) == {7: {2: T0 + 2, 0: T0 + 3}}
    stage.until(lambda: stage.waiting == 1)
    assert stage.counted("right") == {"south": 1, "north": 1}
    # Recorded after the outcome came: it is asked for again.
    store.decide("i3", 0.1, "east")
    stage.until(lambda: stage.waiting == 0)
    assert stage.counted("right") == {"south": 1, "north": 1, "east": 1}
    assert stage.counted("labelled") == {None: 3}
    assert (stage.topic, stage.joining.earliest(lambda _: 7)) == ({}, {})


def test_marks_say_what_waits_and_what_waits_no_more() -> None:
    joining = Stage(Store()).joining
    inference = Watermark("seamwatch.inference", 0, 1, T0, caught_up=True)
    outcomes = tuple(Watermark("seamwatch.outcome", number, 1, T0, caught_up=True) for number in range(3))
    marks = (inference, *outcomes)
    assert set(joining.marked((inference,), marks, {0: T0 - 5}, {})) == {
        inference,
        replace(outcomes[0], waiting=T0 - 5),
    }
    assert set(joining.marked((), marks, {1: T0 - 3}, {0: T0 - 5})) == {
        outcomes[0],
        replace(outcomes[1], waiting=T0 - 3),
    }
    assert set(joining.marked(marks, marks, {}, {2: T0 - 5})) == set(marks)
    assert joining.marked((inference,), (), {0: T0 - 5}, {}) == (inference,)


def test_an_answer_that_comes_when_nothing_waits_any_more_changes_nothing() -> None:
    store = Store()
    store.decide("i1", 0.9)
    stage = Stage(store)
    stage.round(sent(1, "i1"))
    stage.round()
    stage.joining.forget()
    assert stage.waiting == 0
    wait_for(stage.joining.due, "the answer")
    stage.round()
    assert (stage.joining.due(), stage.facts) == (False, [])
    stage.joining.restore(stage.topic)
    stage.until(lambda: stage.waiting == 0)
    assert stage.counted("right") == {None: 1}


def test_a_decision_that_never_comes_is_given_up_and_the_outcome_counts_with_what_it_carries() -> None:
    store = Store()
    store.decide("i2", 0.5, system="another")
    stage = Stage(store)
    stage.round(sent(1, "i1", cohort="south"), sent(2, "i2"))
    stage.until(lambda: store.asked.count("i1") >= 3)
    assert (stage.waiting, stage.facts) == (2, [])
    stage.joining._limits = Limits(within=1, away=DAY)
    stage.until(lambda: stage.waiting == 0)
    assert (stage.counted("right"), stage.counted("labelled")) == ({}, {None: 2})
    assert stage.unfound("not found") == 2


@pytest.mark.parametrize("error", [UnreachableError("away"), StoreError("no such table")])
def test_while_the_store_is_away_outcomes_wait_however_long_within_reason(error: Exception) -> None:
    store = Store()
    store.away = error
    stage = Stage(store, Limits(within=1, away=DAY))
    stage.round(sent(1, "i1"))
    stage.until(lambda: len(store.asked) >= 3)
    assert (stage.waiting, stage.facts) == (1, [])
    stage.round(sent(2, "i2", 0.9, cohort="south"))
    assert stage.counted("right") == {"south": 1}
    store.away = None
    store.decide("i1", 0.9, "north")
    stage.until(lambda: stage.waiting == 0)
    assert stage.counted("right") == {"south": 1, "north": 1}

    store.away = error
    stage.round(sent(3, "i3"))
    stage.joining._limits = Limits(within=1, away=1)
    stage.until(lambda: stage.waiting == 0)
    assert (stage.counted("labelled"), stage.unfound("store away")) == ({None: 3}, 1)


def test_more_than_can_wait_give_way_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    store = Store()
    store.away = UnreachableError("away")
    stage = Stage(store)
    stage.round(*(sent(number, f"i{number}") for number in range(5)))
    stage.round()
    assert (stage.waiting, stage.unfound("too many wait"), stage.counted("labelled")) == (3, 2, {None: 2})


def test_without_a_store_outcomes_count_with_what_they_carry() -> None:
    stage = Stage(None)
    stage.round(sent(1, "i1"), sent(2, "i2", 0.9))
    assert (stage.waiting, stage.topic) == (0, {})
    assert (stage.counted("right"), stage.counted("labelled")) == ({None: 1}, {None: 2})
    assert (stage.unfound("no store"), stage.metrics.unjoined._value.get()) == (2, 2)
    # Those that waited for a store that is no longer named do not wait for ever.
    store = Store()
    stage = Stage(store)
    stage.round(sent(3, "i3"))
    stage.store = None
    stage.start()
    stage.round()
    assert (stage.waiting, stage.topic, stage.counted("labelled")) == (0, {}, {None: 1})


_STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(0, 12), st.sampled_from([None, 0.2, 0.9])), min_size=1, max_size=6),
        st.integers(0, 12),
        st.sampled_from(["away", "back", "crash", "moved"]),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(_STEPS)
def test_whatever_happens_each_outcome_counts_once_and_with_its_decision(steps: list[Any]) -> None:
    """Outcomes and decisions in any order, repeated outcomes, crashes before a commit, a store that comes and goes."""
    store = Store()
    stage = Stage(store)
    expected: dict[str | None, int] = {}
    ids: set[int] = set()
    number = 0
    for step in steps:
        if step == "away":
            store.away = UnreachableError("away")
        elif step == "back":
            store.away = None
        elif step == "crash":
            stage.round(crash=True)
        elif step == "moved":
            stage.joining.forget()
            stage.joining.restore(stage.topic)
        elif isinstance(step, int):
            store.decide(f"i{step}", step / 12, f"c{step % 2}")
        else:
            messages = []
            for inference, score in step:
                number += 1
                ids.add(inference)
                messages.append(sent(number, f"i{inference}", score))
                cohort = f"c{inference % 2}"
                expected[cohort] = expected.get(cohort, 0) + 1
            # A repetition, next to it or after a crash.
            stage.round(*messages, messages[0], crash=number % 5 == 0)
            if number % 5 == 0:
                stage.round(*messages)
    store.away = None
    for inference in ids:
        store.decide(f"i{inference}", inference / 12, f"c{inference % 2}")
    stage.until(lambda: stage.waiting == 0)
    assert stage.counted("right") == expected
    assert stage.topic == {}


def rows_of(count: int, size: int = 10) -> pl.DataFrame:
    return pl.DataFrame(
        [(0, n, n, T0 + n, "scorer", f"i{n}", b"x" * size) for n in range(count)], schema=ROW, orient="row"
    )


def test_many_that_wait_are_few_records_and_none_is_too_large() -> None:
    waiting = Waiting()
    waiting.add(rows_of(2_500), 0.0)
    written = dict(waiting.take_changed())
    assert list(written) == ["0/0", "0/1000", "0/2000"]
    waiting.remove(rows_of(CHUNK_ROWS + 1))
    changed = dict(waiting.take_changed())
    assert (changed["0/0"], list(changed)) == (None, ["0/0", "0/1000"])
    again = Waiting()
    again.restore({key: value for key, value in {**written, **changed}.items() if value is not None}, 0.0)
    assert len(again) == 2_500 - CHUNK_ROWS - 1
    assert again.asked(["i1001"])["offset"].to_list() == [1_001]

    large = Waiting()
    large.add(rows_of(10, 400_000), 0.0)
    assert all(len(value or b"") < 1_300_000 for _, value in large.take_changed())


def test_who_has_waited_longest_is_asked_for_first_and_is_put_off_the_longer() -> None:
    waiting = Waiting()
    waiting.add(rows_of(3), due=5.0)
    assert waiting.due(4.9, 10) == []
    assert waiting.due(5.0, 2) == ["i0", "i1"]
    waiting.put_off(["i0", "i1"], now=5.0, now_ms=10_001, shortest=1.0, longest=60.0)
    assert waiting.due(5.0, 10) == ["i2"]
    assert waiting.due(9.9, 10) == ["i2"]
    assert waiting.due(10.1, 10) == ["i2", "i1", "i0"]
    waiting.put_off(["i0"], now=5.0, now_ms=10**9, shortest=1.0, longest=60.0)
    assert waiting.due(64.0, 10) == ["i2", "i1"]
