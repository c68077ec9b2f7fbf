"""Blocks: what a range of a topic partition becomes in the store, the same however often it is made.

Pure: messages in, frames out. A block is the rows of one range that go to one table and one of its partitions
(months); its token names the range, the table and the month, so that a repeated block is known as one.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from confluent_kafka import Message

from bus.batches import PartitionMessages
from seamwatch.columnar.decode import Decoded
from seamwatch.wire.topics import Topics
from sinks.batches import Batch, Block, Range
from sinks.columns import BROKER_TIME, HEADERS, columns
from sinks.decoding import Decode
from sinks.ledger.format.leaves import leaf_hashes
from sinks.published import published


def batch_of(run: PartitionMessages, first_offset: int, next_offset: int, topics: Topics, decode: Decode) -> Batch:
    """The batch of a range, all of whose messages are in ``run``.

    The same messages give the same blocks with the same tokens: nothing here depends on when it is done.
    """
    extent = Range(run.topic, run.partition, first_offset, next_offset, len(run.messages))
    values = list(map(Message.value, run.messages))
    times = [stamp[1] for stamp in map(Message.timestamp, run.messages)]
    places = _places(run, values, times)
    if run.topic == topics.contracts:
        record_type = "document"
        decoded = published(list(map(Message.key, run.messages)), values)
        typed = decoded.frame
    else:
        record_type = topics.record_type(run.topic) or "unknown"
        decoded = decode(record_type, values, times)
        typed = decoded.frame.select(_cast(record_type))
    good, dead = _split(typed, decoded, places, record_type)
    blocks = [*_by_month(extent, record_type, good, times), *_by_month(extent, "dead_letter", dead, times)]
    return Batch(extent, record_type, tuple(blocks), len(dead), leaf_hashes(run.topic, run.partition, places))


def _cast(record_type: str) -> list[pl.Expr]:
    return [pl.col(name).cast(kind) for name, kind in columns(record_type).items()]


def _places(run: PartitionMessages, values: list[bytes | None], times: list[int]) -> pl.DataFrame:
    messages = run.messages
    headers: list[Any] = list(map(Message.headers, messages))
    found: dict[str, Any] = {
        "offset": pl.Series(list(map(Message.offset, messages)), dtype=pl.Int64),
        "broker_time": pl.Series(times, dtype=pl.Int64).cast(BROKER_TIME),
        "key": pl.Series(list(map(Message.key, messages)), dtype=pl.Binary),
        "raw": pl.Series(values, dtype=pl.Binary),
    }
    if any(headers):
        rows = [[{"key": key, "value": value} for key, value in pairs or ()] for pairs in headers]
        found["headers"] = pl.Series(rows, dtype=HEADERS)
    return pl.DataFrame(found).with_columns(topic=pl.lit(run.topic), partition=pl.lit(run.partition, dtype=pl.Int32))


def _split(
    typed: pl.DataFrame, decoded: Decoded, places: pl.DataFrame, record_type: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the record's own table and those of dead_letter; together they are every message."""
    if not decoded.rejects:
        return pl.concat([typed, places], how="horizontal"), places.clear()
    good = pl.concat([typed, places[decoded.rows]], how="horizontal")
    indexes, reasons = zip(*decoded.rejects, strict=True)
    dead = places[list(indexes)].with_columns(
        pl.Series("reason", reasons, dtype=pl.String), pl.lit(record_type).alias("record_type")
    )
    return good, dead


def _by_month(extent: Range, table: str, frame: pl.DataFrame, times: list[int]) -> list[Block]:
    if not len(frame):
        return []
    first, last = (month(moment) for moment in (min(times), max(times)))
    if first == last:
        return [Block(table, f"{extent}/{table}/{first}", frame)]
    marked = frame.with_columns(pl.col("broker_time").dt.strftime("%Y%m").alias("month"))
    parts = marked.partition_by("month", as_dict=True, include_key=False, maintain_order=True)
    named = sorted((str(key[0]), part) for key, part in parts.items())
    return [Block(table, f"{extent}/{table}/{name}", part) for name, part in named]


def month(millis: int) -> str:
    """The table partition of a broker time in milliseconds: ``202603``."""
    return str(pl.Series([millis], dtype=pl.Int64).cast(BROKER_TIME).dt.strftime("%Y%m")[0])
