"""Histories: what a store says was done to a topic partition: commits, signed heads, open ranges, where its rows are.

Reads; trusts and judges nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bus.partitions import Partition
from sinks.ledger.verify.roots import Commit
from sinks.store.client import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Extent:
    """What a table has of a topic partition: so many rows, from one offset to another, both included."""

    table: str
    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Note:
    """A row of checkpoint."""

    size: int
    root: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A range that was set out on and is not committed."""

    first_offset: int
    next_offset: int
    count: int


@dataclass(slots=True)
class History:
    """The commits of a topic partition, the signed root of each size, and where its last range ends, open or not."""

    commits: list[Commit]
    signed: dict[int, bytes]
    end: int

    @property
    def size(self) -> int:
        """How many records are committed."""
        return self.commits[-1].size if self.commits else 0


def read_extents(store: Store, tables: Sequence[str]) -> dict[Partition, list[Extent]]:
    """Where the rows of each topic partition are."""
    parts = (
        f"SELECT '{table}' AS name, topic, partition, count() AS rows, min(offset) AS first, max(offset) AS last "
        f"FROM {table} GROUP BY topic, partition"
        for table in tables
    )
    rows = store.rows(" UNION ALL ".join(parts))
    return _by_place(rows, lambda row: Extent(row["name"], row["rows"], row["first"], row["last"]))


def read_heads(store: Store) -> dict[Partition, int]:
    """The size of the largest head of each topic partition."""
    rows = store.rows("SELECT topic, partition, max(tree_size) AS size FROM checkpoint GROUP BY topic, partition")
    return {(row["topic"], row["partition"]): row["size"] for row in rows}


def read_notes(store: Store) -> dict[Partition, list[Note]]:
    """The signed heads, by size."""
    rows = store.rows(
        "SELECT DISTINCT topic, partition, tree_size, hex(root_hash) AS root, note FROM checkpoint "
        "ORDER BY topic, partition, tree_size"
    )
    return _by_place(rows, lambda row: Note(row["tree_size"], bytes.fromhex(row["root"]), row["note"]))


def read_commits(store: Store, *, trees: bool) -> dict[Partition, list[Commit]]:
    """The commits, in the order of their offsets; with the trees that they kept, if those are wanted."""
    tree = "hex(frontier)" if trees else "''"
    rows = store.rows(
        f"SELECT DISTINCT topic, partition, first_offset, next_offset, count, size, {tree} AS tree, "
        "toUnixTimestamp64Micro(committed_at) AS time FROM ledger_commit "
        "ORDER BY topic, partition, next_offset, first_offset"
    )
    return _by_place(
        rows,
        lambda row: Commit(
            row["first_offset"], row["next_offset"], row["count"], row["size"], row["time"], bytes.fromhex(row["tree"])
        ),
    )


def read_opened(store: Store) -> dict[Partition, list[Opened]]:
    """What was set out on and not committed, of each topic partition the newest epoch's last."""
    rows = store.rows(
        "SELECT topic, partition, first_offset, next_offset, count FROM ledger_intent "
        "WHERE (topic, partition, first_offset) NOT IN (SELECT topic, partition, first_offset FROM ledger_commit) "
        "ORDER BY topic, partition, first_offset, epoch, recorder"
    )
    return _by_place(rows, lambda row: Opened(row["first_offset"], row["next_offset"], row["count"]))


def _by_place(rows: Sequence[Mapping[str, Any]], made: Callable[[Mapping[str, Any]], T]) -> dict[Partition, list[T]]:
    found: dict[Partition, list[T]] = {}
    for row in rows:
        found.setdefault((row["topic"], row["partition"]), []).append(made(row))
    return found
