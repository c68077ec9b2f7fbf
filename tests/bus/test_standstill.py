"""A loop that reads nothing of what is there ends; one that reads, or has nothing to read, goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from bus.ends import Answer
from bus.partitions import Partition
from bus.standstill import ANSWERS, ASSIGNMENT_SECONDS, Standstill
from seamwatch.errors import StageError

A, B = ("seamwatch.inference", 0), ("seamwatch.outcome", 1)


class Broker:
    """Answers each question with the same ends."""

    def __init__(self, ends: Mapping[Partition, int]) -> None:
        self.ends = ends

    def poll(self, _partitions: Collection[Partition]) -> Answer:
        return Answer(0, self.ends)

    def forget(self) -> None: ...


class Watched:
    """A standstill with a broker and a clock in the test's hand."""

    def __init__(self, ends: Mapping[Partition, int], monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.shown: list[Mapping[Partition, int]] = []
        self.broker = Broker(ends)
        monkeypatch.setattr("bus.standstill.Ends", lambda *_, **__: self.broker)
        nobody: Any = None
        self.of = Standstill(nobody, self.shown.append, lambda: self.now)


def test_nothing_read_of_what_is_there_ends_it_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched({A: 10, B: 7}, monkeypatch)
    for _ in range(ANSWERS):
        watched.of.look((A, B), {A: 4, B: 7})
    with pytest.raises(StageError, match=r"seamwatch\.inference\[0\]: 6\)"):
        watched.of.look((A, B), {A: 4, B: 7})
    assert watched.shown[-1] == {A: 6, B: 0}


def test_a_partition_that_was_never_read_counts_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched({A: 10}, monkeypatch)
    for _ in range(ANSWERS - 1):
        watched.of.look((A,), {})
    with pytest.raises(StageError, match="nothing has been read"):
        watched.of.look((A,), {})


def test_whoever_reads_or_has_nothing_to_read_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched({A: 1_000, B: 7}, monkeypatch)
    for position in range(10 * ANSWERS):
        watched.of.look((A, B), {A: position, B: 0})
    watched.broker.ends = {A: 1_000, B: 7}
    for _ in range(10 * ANSWERS):
        watched.of.look((A, B), {A: 1_000, B: 7})


def test_a_move_of_partitions_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched({A: 10}, monkeypatch)
    for _ in range(10):
        for _ in range(ANSWERS - 1):
            watched.of.look((A,), {A: 4})
        watched.of.moved()


def test_a_group_that_does_not_answer_is_waited_for_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched({}, monkeypatch)
    watched.now = ASSIGNMENT_SECONDS - 1
    watched.of.look(None, {})
    # Answer that there is nothing for it: more processes than partitions.
    watched.of.moved()
    watched.now *= 3
    watched.of.look((), {})
    with pytest.raises(StageError, match="has not told what to read"):
        watched.of.look(None, {})
