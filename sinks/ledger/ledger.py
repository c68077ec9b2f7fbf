"""The ledger's growth: the tree of a topic partition goes on with each range, and its head is signed.

For each range, once its rows are in the store and before it is committed, tiles and the signed checkpoint are written,
those of a round together; root and frontier go into the commit's own row; once that is in, the checkpoint goes to its
topic. The same range gives the same tiles, root and note, whoever computes them and however often, so that what is
written twice is the same twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import structlog

from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.errors import StoreError
from sinks.batches import Batch
from sinks.columns import columns
from sinks.ledger.format.merkle import HASH_SIZE, Tree
from sinks.ledger.format.notes import Checkpoint, SignerKey
from sinks.ledger.format.origins import origin_of
from sinks.ledger.format.tiles import Piece, pieces
from sinks.ledger.rows import stored_leaves
from sinks.store.client import Store, quoted
from sinks.store.conditions import of_place

_log = structlog.get_logger("sinks.ledger")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a tree stands: what its commit keeps, and the signed note when there is a key."""

    place: Partition
    size: int
    root: bytes
    frontier: bytes
    origin: str
    note: str | None
    created_at: int

    def record(self) -> dict[str, Any]:
        """The head as a checkpoint: a row of the table, and a message of the topic."""
        topic, partition = self.place
        return {
            "origin": self.origin,
            "topic": topic,
            "partition": partition,
            "tree_size": self.size,
            "root_hash": self.root,
            "note": self.note,
            "created_at": self.created_at,
        }

    def columns(self) -> dict[str, pl.Expr]:
        """What the row of its range in ledger_commit says of the tree."""
        return {"root": pl.lit(self.root, dtype=pl.Binary), "frontier": pl.lit(self.frontier, dtype=pl.Binary)}


@dataclass(frozen=True, slots=True)
class Growth:
    """What a tree is to take in: a batch, to a tree of ``size`` leaves, ``count`` rows of which are in the store."""

    batch: Batch
    size: int
    count: int


Publish = Callable[[Sequence[Head]], None]
"""Takes signed heads to the checkpoint topic, at least once, and returns without waiting for the broker."""


def _nowhere(_heads: Sequence[Head]) -> None:
    pass


class Ledger:
    """The trees of the topic partitions that one recorder writes.

    Without a key the trees grow just the same, and nobody signs for them. What it remembers between ranges only saves
    asking the store: the tree of a topic partition and a size is the same, whoever grew it.
    """

    def __init__(self, key: SignerKey | None = None, publish: Publish = _nowhere) -> None:
        self._key = key
        self._publish = publish
        self._trees: dict[Partition, Tree] = {}

    def grow(self, store: Store, growths: Sequence[Growth], *, repeated: bool = False) -> list[Head]:
        """Append ranges of different topic partitions to their trees, and write all tiles and checkpoints at once.

        The rows of the ranges MUST be in the store already. Safe to repeat. Raises StoreError when the store does not
        have the rows that it says it has, or has commits beyond a range: whoever made them has overtaken us. With
        ``repeated`` that is well: whoever asks holds the newest claim, so they are the same ranges, which were on their
        way when the recorder before us was stopped, and arrived after the positions were read.
        """
        trees = [self._appended(store, growth, repeated=repeated) for growth in growths]
        heads = [self._head(growth.batch.range.place, tree) for growth, (tree, _) in zip(growths, trees, strict=True)]
        tiles = [_tile_rows(head.place, added) for head, (_, added) in zip(heads, trees, strict=True) if added]
        if tiles:
            store.insert("ledger_tile", pl.concat(tiles), _once("ledger_tile"))
        signed = [head.record() for head in heads if head.note is not None]
        if signed:
            store.insert("checkpoint", pl.DataFrame(signed, schema=columns("checkpoint")), _once("checkpoint"))
        self._trees.update({head.place: tree for head, (tree, _) in zip(heads, trees, strict=True)})
        return heads

    def _appended(self, store: Store, growth: Growth, *, repeated: bool) -> tuple[Tree, list[Piece]]:
        """The tree with the range in it, and the tiles that this makes."""
        batch, extent = growth.batch, growth.batch.range
        tree = self._tree(store, batch, growth.size, repeated=repeated).copy()
        leaves = batch.leaves
        if len(leaves) != growth.count * HASH_SIZE:
            # Compaction took records from the topic between two tries of the range; the store has them still.
            leaves = stored_leaves(store, batch.table, extent.place, extent.first_offset, extent.next_offset)
        made = tree.append(leaves)
        if tree.size != growth.size + growth.count:
            raise StoreError(f"{extent}: {tree.size - growth.size} leaves for {growth.count} rows; see docs/ledger.md")
        return tree, list(pieces(made))

    def publish(self, head: Head) -> None:
        """Take a head to the checkpoint topic; only once its range is committed, so that nothing there is ahead."""
        if head.note is not None:
            self._publish([head])

    def publish_again(self, store: Store, places: Collection[Partition]) -> None:
        """Publish the newest committed heads of these, which a crash may have kept from their topic."""
        if self._key is None or not places:
            return
        rows = store.rows(
            "SELECT topic, partition, argMax((size, hex(frontier)), next_offset) AS last "
            f"FROM ledger_commit WHERE topic IN ({quoted(sorted({topic for topic, _ in places}))}) AND root != '' "
            "GROUP BY topic, partition"
        )
        trees = {(row["topic"], row["partition"]): Tree(row["last"][0], bytes.fromhex(row["last"][1])) for row in rows}
        heads = [self._head(place, tree) for place, tree in trees.items() if place in places and tree.size]
        if heads:
            self._publish(heads)

    def _head(self, place: Partition, tree: Tree) -> Head:
        root, name = tree.root(), "" if self._key is None else self._key.name
        origin = origin_of(name, place)
        note = None if self._key is None else self._key.sign(Checkpoint(origin, tree.size, root))
        return Head(place, tree.size, root, tree.frontier(), origin, note, SystemClock().now())

    def _tree(self, store: Store, batch: Batch, size: int, *, repeated: bool) -> Tree:
        """The tree as it stands at this size: remembered, as the last commit left it, or grown from the rows."""
        place = batch.range.place
        tree = self._trees.get(place)
        if tree is not None and tree.size == size:
            return tree
        tree = _committed(store, place, size if repeated else None)
        if tree.size != size:
            tree = _grown(store, batch, tree, size)
        self._trees[place] = tree
        return tree


def _committed(store: Store, place: Partition, size: int | None) -> Tree:
    """The tree that the last commit with one left, up to a size where one is given; an empty one when there is none.

    In constant time.
    """
    within = "" if size is None else f" AND (size <= {size})"
    row = store.rows(
        "SELECT argMax((size, hex(frontier)), next_offset) AS last "
        f"FROM ledger_commit WHERE {of_place(place)} AND (root != ''){within}"
    )[0]
    found, frontier = row["last"]
    return Tree(int(found), bytes.fromhex(frontier))


def _grown(store: Store, batch: Batch, tree: Tree, size: int) -> Tree:
    """A tree grown to ``size`` from rows that were recorded before there were trees; writes their tiles."""
    place = batch.range.place
    _log.warning("growing the ledger's tree from rows recorded before", place=str(place), rows=size - tree.size)
    ranges = store.rows(
        f"SELECT first_offset, next_offset FROM ledger_commit WHERE {of_place(place)} "
        f"AND size > {tree.size} AND size <= {size} ORDER BY next_offset"
    )
    for row in ranges:
        leaves = stored_leaves(store, batch.table, place, row["first_offset"], row["next_offset"])
        if added := list(pieces(tree.append(leaves))):
            store.insert("ledger_tile", _tile_rows(place, added), _once("ledger_tile"))
    if tree.size != size:
        raise StoreError(
            f"{place[0]}[{place[1]}]: {size} rows are committed, and {tree.size} are there: rows are missing, "
            'and no tree can be grown over a hole; docs/ledger.md, "Records from before the ledger", says what to do'
        )
    return tree


def _once(table: str) -> str:
    """A token that no other block has: repeating these is harmless, and a repeated one must not be left out."""
    return f"{table}/{time.time_ns()}"


def _tile_rows(place: Partition, added: Sequence[Piece]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "level": pl.Series([piece.level for piece in added], dtype=pl.UInt8),
            "tile": pl.Series([piece.tile for piece in added], dtype=pl.UInt64),
            "start": pl.Series([piece.start for piece in added], dtype=pl.UInt8),
            "hashes": pl.Series([piece.hashes for piece in added], dtype=pl.Binary),
        }
    ).with_columns(topic=pl.lit(place[0]), partition=pl.lit(place[1], dtype=pl.Int32))
