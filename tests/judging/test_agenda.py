"""The agenda: every entry that is due is taken, and what no entry is due at any more takes no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import DAY, SECOND
from seamwatch.judging import agenda
from seamwatch.judging.agenda import Agenda
from seamwatch.judging.entries import Entry, EntryKey
from seamwatch.judging.facts import Measurement, Watermark
from seamwatch.judging.stream_time import StreamTime


def at(time: int) -> StreamTime:
    stream = StreamTime()
    measurement = Measurement(time, (Watermark("calls", 0, 0, time, caught_up=True),))
    stream.hear(measurement)
    stream.advance(measurement)
    return stream


def key(part: str) -> EntryKey:
    return EntryKey("contract", "clause", "system", part)


@given(steps=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 40) | st.none(), st.booleans()), max_size=80))
def test_what_is_due_is_taken_whatever_was_thrown_out(steps: list[tuple[str, int | None, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agenda, "ROOM", 0)
        entries: dict[EntryKey, Entry] = {}
        queued = Agenda(entries)
        for now, (part, due, wakes) in enumerate(steps):
            before = entries.get(key(part))
            if due is None:
                entries.pop(key(part), None)
            else:
                deadline, wake = (None, now + due) if wakes else (now + due, None)
                entries[key(part)] = Entry("rate", "1", deadline=deadline, wake=wake)
                queued.schedule(key(part), before, entries[key(part)], at(now))
            due_now = {k for k, e in entries.items() if (e.deadline or e.wake or now + 1) <= now}
            taken = set(queued.take_due(at(now)))
            assert due_now <= taken
            for looked in due_now:
                del entries[looked]


def test_a_conversation_of_many_calls_stands_there_as_often_as_one_of_few() -> None:
    entries: dict[EntryKey, Entry] = {}
    queued = Agenda(entries)
    for number in range(8_000):
        now, talk = number * SECOND, key(str(number % 3))
        before = entries.get(talk)
        entries[talk] = Entry("rate", "1", deadline=now + DAY, wake=now + 600 * SECOND)
        queued.schedule(talk, before, entries[talk], at(now))
        queued.take_due(at(now))
    # The wakes of ten minutes, of which each may mean something, and room to spare.
    assert len(queued) < 4_000
    assert {k.part for k in queued.take_due(at(2 * DAY))} == {"0", "1", "2"}
