"""Checking: one chunk of the record, read from the store: the leaves of its rows, and what their columns say wrongly.

Rows of several topic partitions are read together, in no order: the store keeps them side by side, so that reading one
topic partition after another would read all of them each time. Whoever asks puts the leaves in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from bus.partitions import Partition
from sinks.decoding import Decode
from sinks.ledger.format.leaves import leaf_hashes
from sinks.ledger.format.merkle import HASH_SIZE
from sinks.ledger.rows import DEAD_LETTER, whole_rows
from sinks.ledger.verify.compare import compare
from sinks.ledger.verify.findings import Finding
from sinks.store.client import Store

LEAF: np.dtype[np.void] = np.dtype([("offset", "<i8"), ("hash", f"V{HASH_SIZE}")])
"""A leaf: the offset of its record, and its hash."""

Leaves = np.ndarray[tuple[int], np.dtype[np.void]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of records of one type that a condition holds for, in these tables: the type's, dead_letter, or both.

    ``stand_ins`` are the queries that answer for tables that are not as they should be.
    """

    record_type: str
    tables: tuple[str, ...]
    condition: str
    stand_ins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a chunk holds: leaves by topic partition, in no order, and wrong rows of each, the first among them."""

    leaves: dict[Partition, list[Leaves]]
    findings: list[Finding]


def check(store: Store, decode: Decode, chunk: Chunk) -> Checked:
    """Read a chunk, hash its leaves, decode its raw bytes again and compare the columns."""
    checked = Checked({}, [])
    with store.with_stand_ins(chunk.stand_ins):
        for table in chunk.tables:
            for rows in whole_rows(store, table, chunk.condition):
                values: list[bytes | None] = rows["raw"].to_list()
                for place, leaves in _leaves(rows):
                    checked.leaves.setdefault(place, []).append(leaves)
                if chunk.record_type != DEAD_LETTER:  # of a topic that is none of ours nothing is known but the bytes
                    checked.findings.extend(compare(chunk.record_type, table, rows, values, decode))
    return checked


def _leaves(rows: pl.DataFrame) -> Iterator[tuple[Partition, Leaves]]:
    for name, own in _by_topic(rows):
        topic = name.decode(errors="replace")
        leaves = np.empty(len(own), LEAF)
        leaves["offset"] = own["offset"].to_numpy()
        leaves["hash"] = np.frombuffer(leaf_hashes(topic, own["partition"], own), f"V{HASH_SIZE}")
        partitions = own["partition"].to_numpy()
        for partition in np.unique(partitions).tolist():
            yield (topic, partition), leaves[partitions == partition]


def _by_topic(rows: pl.DataFrame) -> Iterator[tuple[bytes, pl.DataFrame]]:
    """Rows of one topic each. A violation's topic is that of its clause's kind, so a table may hold many."""
    names = rows["topic"].unique()
    if len(names) == 1:
        yield names[0], rows  # as in most tables: nothing needs to be taken apart
        return
    # A series of bytes compared with bytes takes these for a series of numbers, so the rows are not filtered.
    for (name,), own in rows.partition_by("topic", as_dict=True).items():
        yield name, own


def in_order(parts: list[Leaves]) -> Leaves:
    """Leaves in the order of their offsets."""
    leaves = np.concatenate(parts) if parts else np.empty(0, LEAF)
    return leaves.take(np.argsort(leaves["offset"], kind="stable"))
