"""Rows of the record, as the ledger reads them: ranges of offsets of topic partitions, bytes kept exact; and tiles.

Queries only; what the rows must be is for others to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from bus.partitions import Partition
from sinks.ledger.format.leaves import leaf_hashes
from sinks.ledger.format.tiles import ReadTile
from sinks.store.client import Store, quoted
from sinks.store.conditions import of_place, of_ranges

DEAD_LETTER: Final = "dead_letter"
LEAF_COLUMNS: Final = ("offset", "broker_time", "key", "headers", "raw")
"""What a leaf is made of, beside its topic and partition."""

_AT_ONCE: Final = 16_384
_WINDOW: Final = 128


def rows_where(store: Store, table: str, columns: Sequence[str], condition: str) -> pl.DataFrame:
    """The rows of a table that a condition holds for, in no order; String as Binary."""
    names = ", ".join(f"`{name}`" for name in columns)
    return _typed(store.frame(f"SELECT {names} FROM {table} WHERE {condition}", exact_bytes=True))


def whole_rows(store: Store, table: str, condition: str) -> Iterator[pl.DataFrame]:
    """The rows of a table that a condition holds for, all columns, in no order and in frames of a few; the same types.

    Few enough for what is made of one to take the memory of the last again: fresh memory costs as much as decoding.
    """
    for frame in store.frames(f"SELECT * FROM {table} WHERE {condition}", _AT_ONCE):
        yield _typed(frame)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    # A column that is null in every row comes without a type.
    return frame.with_columns(pl.col(name).cast(pl.Binary) for name in ("raw", "key") if name in frame.columns)


def rows_between(
    store: Store, table: str, columns: Sequence[str], place: Partition, first_offset: int, next_offset: int
) -> pl.DataFrame:
    """The rows of a table in [first_offset, next_offset) of a topic partition, in no order; String as Binary."""
    return rows_where(store, table, columns, of_ranges({place: (first_offset, next_offset)}))


def stored_leaves(store: Store, table: str, place: Partition, first_offset: int, next_offset: int) -> bytes:
    """The hashes of the leaves of a range, from the rows of a record type's table and those of dead_letter."""
    parts = [rows_between(store, name, LEAF_COLUMNS, place, first_offset, next_offset) for name in (table, DEAD_LETTER)]
    return leaf_hashes(*place, pl.concat(parts, how="vertical_relaxed").sort("offset"))


def tile_reader(store: Store, place: Partition) -> ReadTile:
    """Reads tiles of the tree of a topic partition, each once."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, tile: int) -> bytes:
        if (level, tile) not in known:
            rows = store.rows(
                f"SELECT DISTINCT start, hex(hashes) AS hashes FROM ledger_tile WHERE {of_place(place)} "
                f"AND level = {level} AND tile = {tile} ORDER BY start"
            )
            known[level, tile] = b"".join(bytes.fromhex(row["hashes"]) for row in rows)
        return known[level, tile]

    return read


def windowed_tile_reader(store: Store, place: Partition) -> ReadTile:
    """Reads tiles as `tile_reader` does, many at once and keeping few: for a way through a tree from left to right."""
    windows: dict[int, tuple[int, dict[int, bytes]]] = {}

    def read(level: int, tile: int) -> bytes:
        first, tiles = windows.get(level, (-1, {}))
        if not first <= tile < first + _WINDOW or first < 0:
            rows = store.rows(
                f"SELECT DISTINCT tile, start, hex(hashes) AS hashes FROM ledger_tile WHERE {of_place(place)} "
                f"AND level = {level} AND tile >= {tile} AND tile < {tile + _WINDOW} ORDER BY tile, start"
            )
            tiles = {}
            for row in rows:
                tiles[row["tile"]] = tiles.get(row["tile"], b"") + bytes.fromhex(row["hashes"])
            windows[level] = (tile, tiles)
        return tiles.get(tile, b"")

    return read


def tables_with(store: Store, *names: str) -> list[str]:
    """The tables that have all of these columns. Those with raw, offset and headers hold records."""
    rows = store.rows(
        f"SELECT table FROM system.columns WHERE database = currentDatabase() AND name IN ({quoted(names)}) "
        f"GROUP BY table HAVING count() = {len(names)} ORDER BY table"
    )
    return [row["table"] for row in rows]
