"""The timers: every key that is due is taken, and what no key is due at any more takes no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import DAY, SECOND
from seamwatch.engine import timers
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.timers import Timers
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import Measurement, Watermark


def advance(watermarks: Watermarks, time: int) -> None:
    measurement = Measurement(time, (Watermark("calls", 0, 0, time, caught_up=True),))
    watermarks.receive(measurement)
    watermarks.advance(measurement)


def key(part: str) -> StateKey:
    return StateKey("contract", "clause", "system", part)


@given(steps=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 40) | st.none(), st.booleans()), max_size=80))
def test_what_is_due_is_taken_whatever_was_thrown_out(steps: list[tuple[str, int | None, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timers, "ROOM", 0)
        states: dict[StateKey, KeyedState] = {}
        watermarks = Watermarks()
        queued = Timers(states, watermarks)
        for now, (part, due, wakes) in enumerate(steps):
            advance(watermarks, now)
            before = states.get(key(part))
            if due is None:
                states.pop(key(part), None)
            else:
                deadline, wake = (None, now + due) if wakes else (now + due, None)
                states[key(part)] = KeyedState("rate", "1", deadline=deadline, wake=wake)
                queued.schedule(key(part), before, states[key(part)])
            due_now = {k for k, e in states.items() if (e.deadline or e.wake or now + 1) <= now}
            taken = set(queued.take_due())
            assert due_now <= taken
            for looked in due_now:
                del states[looked]


def test_a_conversation_of_many_calls_stands_there_as_often_as_one_of_few() -> None:
    states: dict[StateKey, KeyedState] = {}
    watermarks = Watermarks()
    queued = Timers(states, watermarks)
    for number in range(8_000):
        now, talk = number * SECOND, key(str(number % 3))
        advance(watermarks, now)
        before = states.get(talk)
        states[talk] = KeyedState("rate", "1", deadline=now + DAY, wake=now + 600 * SECOND)
        queued.schedule(talk, before, states[talk])
        queued.take_due()
    # The wakes of ten minutes, of which each may mean something, and room to spare.
    assert len(queued) < 4_000
    advance(watermarks, 2 * DAY)
    assert {k.part for k in queued.take_due()} == {"0", "1", "2"}
