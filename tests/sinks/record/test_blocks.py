"""What a range becomes: each message one row, in the table and month it belongs to, the same every time."""

from __future__ import annotations

import json

import polars as pl
from confluent_kafka import Message

from bus.batches import PartitionMessages
from seamwatch.clock import SystemClock
from seamwatch.judging.records import violation_record
from seamwatch.wire.topics import Topics
from sinks.batches import Batch
from sinks.decoding import decoding
from sinks.record.blocks import batch_of
from tests.sinks.samples import CODEC, encoded, violation

TOPICS = Topics("t")
MARCH = 1_772_500_000_000
APRIL = 1_775_500_000_000


def messages(values: list[bytes | None], topic: str = "t.inference", at: list[int] | None = None) -> PartitionMessages:
    times = at or [MARCH] * len(values)
    return PartitionMessages(
        topic,
        1,
        [
            Message(topic=topic, partition=1, offset=10 + i, key=b"k", value=value, timestamp=(2, times[i]))
            for i, value in enumerate(values)
        ],
    )


def batch(run: PartitionMessages) -> Batch:
    return batch_of(run, 10, 10 + len(run.messages), TOPICS, decoding(CODEC, SystemClock()))


def old(number: int) -> bytes:
    return encoded(number=number, event_time=MARCH * 1_000)


def test_every_message_is_one_row_and_the_bad_ones_are_dead_letters_with_reason_and_bytes() -> None:
    made = batch(messages([old(0), b"junk", old(1), None, old(2) + b"x", b""]))
    good, dead = made.blocks
    assert (good.table, good.frame["offset"].to_list()) == ("inference", [10, 12])
    assert (dead.table, dead.frame["offset"].to_list()) == ("dead_letter", [11, 13, 14, 15])
    assert dead.frame["raw"].to_list() == [b"junk", None, old(2) + b"x", b""]
    assert all(dead.frame["reason"].str.len_chars() > 10)
    assert made.dead_letters == 4
    assert good.frame["raw"].to_list() == [old(0), old(1)]
    assert good.frame["subject"].to_list() == ["s0", "s1"]


def test_a_range_over_two_months_is_two_blocks_so_that_each_is_one_part() -> None:
    made = batch(messages([old(i) for i in range(4)], at=[MARCH, MARCH, APRIL, APRIL]))
    assert [block.token for block in made.blocks] == [
        "t.inference/1/10-14/inference/202603",
        "t.inference/1/10-14/inference/202604",
    ]
    assert [block.frame["offset"].to_list() for block in made.blocks] == [[10, 11], [12, 13]]


def test_the_same_messages_make_the_same_blocks() -> None:
    run = messages([old(0), b"junk", old(1)])
    first, second = batch(run), batch(run)
    assert [block.token for block in first.blocks] == [block.token for block in second.blocks]
    assert all(a.frame.equals(b.frame) for a, b in zip(first.blocks, second.blocks, strict=True))


def test_headers_are_kept_in_order_and_with_repeats() -> None:
    message = Message(
        topic="t.inference",
        partition=1,
        offset=10,
        value=old(0),
        timestamp=(2, MARCH),
        headers=[("a", b"1"), ("a", None), ("b", b"\xff")],
    )
    (block,) = batch(PartitionMessages("t.inference", 1, [message])).blocks
    assert block.frame["headers"].to_list() == [
        [{"key": "a", "value": b"1"}, {"key": "a", "value": None}, {"key": "b", "value": b"\xff"}]
    ]
    assert block.frame["key"].to_list() == [None]


def test_a_violation_of_any_kind_is_a_row_of_one_table() -> None:
    value = CODEC.encode("violation", violation_record(violation()))
    (block,) = batch(messages([value], "t.violations.freshness")).blocks
    assert block.table == "violation"
    assert block.frame["evidence"].to_list() == [[{"topic": "t", "partition": 0, "offset": 5, "event_id": "e1"}]]
    assert block.frame.schema["opened_at"] == pl.Datetime("us", "UTC")


def test_documents_are_rows_by_their_key_and_a_tombstone_withdraws() -> None:
    value = json.dumps({"document": {"id": "a@b", "version": "2"}, "digest": "d", "published_at": 5}).encode()
    sent = [
        (b"Contract/a@b@2", value),
        (b"Person/a@b", value),
        (b"Person/a@b", None),
        (b"Person/x", b"{"),
        (None, value),
    ]
    run = PartitionMessages(
        "t.contracts",
        0,
        [
            Message(topic="t.contracts", partition=0, offset=i, key=key, value=body, timestamp=(2, MARCH))
            for i, (key, body) in enumerate(sent)
        ],
    )
    good, dead = batch_of(run, 0, 5, TOPICS, decoding(CODEC, SystemClock())).blocks
    columns = ["kind", "id", "version", "retired"]
    assert good.frame.select(columns).rows() == [
        ("Contract", "a@b", "2", False),
        ("Person", "a@b", "", False),
        ("Person", "a@b", "", True),
    ]
    assert dead.frame["offset"].to_list() == [3, 4]


def test_a_range_that_compaction_emptied_has_no_blocks() -> None:
    made = batch_of(PartitionMessages("t.page", 0, []), 4, 9, TOPICS, decoding(CODEC, SystemClock()))
    assert (made.blocks, made.table, made.range.count) == ((), "page", 0)
