"""A buffer begins where the store says, keeps order, and repeats an open range with the same bounds."""

from __future__ import annotations

from confluent_kafka import Message

from sinks.batches import Range
from sinks.record.buffers import PartitionBuffer
from sinks.store.positions import Position


def some(*offsets: int, size: int = 3) -> list[Message]:
    return [Message(topic="t", partition=0, offset=offset, value=b"x" * size, timestamp=(2, 1)) for offset in offsets]


def offsets(buffer: PartitionBuffer, rows: int = 100, size: int = 1_000) -> tuple[int, int, list[int | None], bool]:
    cut = buffer.cut(rows, size)
    return cut.first_offset, cut.next_offset, [m.offset() for m in cut.run.messages], cut.repeated


def test_ranges_follow_each_other_over_gaps() -> None:
    buffer = PartitionBuffer("t", 0, Position(5))
    buffer.add(some(7, 8, 12))
    assert offsets(buffer, rows=2) == (5, 9, [7, 8], False)
    assert offsets(buffer) == (9, 13, [12], False)
    assert not buffer.is_ready


def test_a_new_partition_begins_at_its_first_record() -> None:
    buffer = PartitionBuffer("t", 0, None)
    buffer.add(some(40, 41))
    assert offsets(buffer) == (40, 42, [40, 41], False)


def test_an_open_range_is_repeated_whole_and_alone() -> None:
    buffer = PartitionBuffer("t", 0, Position(5, 5, Range("t", 0, 5, 9, 4)))
    buffer.add(some(5, 6))
    assert not buffer.is_ready
    buffer.add(some(7, 8, 9, 10))
    assert offsets(buffer, rows=1) == (5, 9, [5, 6, 7, 8], True)
    assert offsets(buffer) == (9, 11, [9, 10], False)


def test_an_open_range_ends_where_the_topic_does_when_compaction_took_its_last_record() -> None:
    buffer = PartitionBuffer("t", 0, Position(5, 5, Range("t", 0, 5, 9, 4)))
    buffer.add(some(5, 6))
    buffer.end = 9
    assert buffer.is_ready
    assert offsets(buffer) == (5, 9, [5, 6], True)


def test_a_range_is_bounded_in_bytes_but_takes_one_record_of_any_size() -> None:
    buffer = PartitionBuffer("t", 0, Position(0))
    buffer.add(some(0, 1, 2, size=400) + some(3, size=5_000) + some(4))
    assert offsets(buffer) == (0, 2, [0, 1], False)
    assert offsets(buffer) == (2, 3, [2], False)
    assert offsets(buffer) == (3, 4, [3], False)
    assert offsets(buffer) == (4, 5, [4], False)
    assert buffer.bytes == 0


def test_what_is_before_the_position_is_not_taken_again() -> None:
    buffer = PartitionBuffer("t", 0, Position(5))
    buffer.add(some(3, 4, 5, 6))
    assert offsets(buffer) == (5, 7, [5, 6], False)
