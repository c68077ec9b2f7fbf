"""The account of a record: whether the store has each record of the topics as one row with its bytes, and nothing else.

Reads both and compares; it neither records nor repairs. Memory: about 200 bytes a record of one topic at a time.
"""

from __future__ import annotations

import hashlib
import itertools

import polars as pl
from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from bus import clients
from sinks.record.stage import topics_recorded
from tests.sinks.estate import Estate, raw_value


def account(estate: Estate) -> None:
    """Each record of the topics is one row, with its bytes; there is no other row; the commits tile the offsets."""
    tables = [row["table"] for row in estate.rows(_TABLES)]
    for topic in topics_recorded(estate.topics):
        _compare(_records(estate.kafka, topic), _rows(estate, tables, topic), topic)
    commits = estate.rows(
        "SELECT topic, partition, first_offset, next_offset, count, size FROM ledger_commit ORDER BY ALL"
    )
    for place, rows in itertools.groupby(commits, key=lambda row: (row["topic"], row["partition"])):
        at = size = None
        for row in rows:
            assert at in (None, row["first_offset"]), f"{place}: a gap or an overlap of commits at {row}"
            size = (size or 0) + row["count"]
            assert row["size"] == size, f"{place}: {row} says {row['size']} rows, and there were {size}"
            at = row["next_offset"]


_TABLES = """
SELECT table FROM system.columns WHERE database = currentDatabase() AND name IN ('raw', 'offset', 'broker_time')
  AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree%')
GROUP BY table HAVING count() = 3
"""


def _records(kafka: str, topic: str) -> pl.DataFrame:
    """Partition, offset and SHA-256 of every committed record of a topic."""
    consumer = clients.reader(kafka, "account")
    places = set(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, place, OFFSET_BEGINNING) for place in places])
    found: list[tuple[int, int, str | None]] = []
    while places:
        for message in consumer.consume(10_000, 0.3):
            error = message.error()
            if error is None:
                raw = raw_value(message)
                digest = None if raw is None else hashlib.sha256(raw).hexdigest()
                found.append((message.partition() or 0, message.offset() or 0, digest))
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client has no public name for it
                places.discard(message.partition() or 0)
    consumer.close()
    return _frame(found)


def _rows(estate: Estate, tables: list[str], topic: str) -> pl.DataFrame:
    """The same of every row of the store that says it is of this topic."""
    selects = (
        f"SELECT partition, offset, lower(hex(SHA256(raw))) AS digest FROM {table} WHERE topic = '{topic}'"
        for table in tables
    )
    with estate.store() as store:
        rows = store.frame(" UNION ALL ".join(selects))
    return _frame(list(rows.with_columns(pl.col("digest").cast(pl.String)).iter_rows()))


def _frame(rows: list[tuple[int, int, str | None]]) -> pl.DataFrame:
    schema = {"partition": pl.Int64, "offset": pl.Int64, "digest": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(list(schema))


def _compare(records: pl.DataFrame, rows: pl.DataFrame, topic: str) -> None:
    place = ["partition", "offset"]
    twice = rows.filter(rows.select(place).is_duplicated())
    assert twice.is_empty(), f"{topic}: {len(twice)} rows of records that are there twice, the first {twice.row(0)}"
    lost = records.join(rows, on=place, how="anti")
    assert lost.is_empty(), f"{topic}: {len(lost)} records are in no row, the first at {lost.row(0)[:2]}"
    made_up = rows.join(records, on=place, how="anti")
    assert made_up.is_empty(), f"{topic}: {len(made_up)} rows are of no record, the first at {made_up.row(0)[:2]}"
    assert records.equals(rows), f"{topic}: there are rows with other bytes than their records"
