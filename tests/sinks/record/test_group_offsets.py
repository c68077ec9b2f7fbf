"""Group offsets: what Kafka was told of how far is recorded is told again until it has heard it."""

from __future__ import annotations

from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, TopicPartition

from sinks.record.group_offsets import AGAIN_SECONDS, GroupOffsets


class Group:
    """A consumer whose commits are answered when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.offsets = GroupOffsets(lambda: self.now)
        self.answer: Any = self.offsets.configuration()["on_commit"]
        self.asked: list[list[TopicPartition]] = []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.asked.append(offsets)

    def look(self) -> dict[tuple[str, int], int] | None:
        before = len(self.asked)
        self.offsets.commit(cast(Consumer, self))
        if len(self.asked) == before:
            return None
        return {(each.topic, each.partition): each.offset for each in self.asked[-1]}


def test_a_commit_that_failed_is_made_again_until_it_is_taken() -> None:
    group = Group()
    group.offsets.owe({("t.inference", 0): 5, ("t.page", 2): 9})
    assert group.look() == {("t.inference", 0): 5, ("t.page", 2): 9}
    assert group.look() is None
    group.answer(KafkaError(KafkaError._TRANSPORT), group.asked[0])
    assert group.look() is None
    group.now += AGAIN_SECONDS
    assert group.look() == {("t.inference", 0): 5, ("t.page", 2): 9}
    group.answer(None, group.asked[1])
    group.now += AGAIN_SECONDS
    assert group.look() is None


def test_what_was_refused_never_takes_back_what_was_recorded_since() -> None:
    group = Group()
    group.offsets.owe({("t.inference", 0): 5})
    group.look()
    group.offsets.owe({("t.inference", 0): 8})
    assert group.look() == {("t.inference", 0): 8}
    group.answer(KafkaError(KafkaError._TRANSPORT), group.asked[0])
    group.now += AGAIN_SECONDS
    assert group.look() is None
    group.answer(KafkaError(KafkaError._TRANSPORT), group.asked[1])
    group.now += AGAIN_SECONDS
    assert group.look() == {("t.inference", 0): 8}


def test_what_is_no_longer_ours_is_not_committed() -> None:
    group = Group()
    group.offsets.owe({("t.inference", 0): 5})
    group.look()
    group.offsets.forget()
    group.answer(KafkaError(KafkaError._TRANSPORT), group.asked[0])
    group.now += AGAIN_SECONDS
    assert group.look() is None
