"""Rows of the record, as the ledger reads them: a range of offsets of one topic partition, bytes kept exact.

Queries only; what the rows must be is for others to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from sinks.ledger.leaves import leaf_hashes
from sinks.reading import Place
from sinks.store import Store, quoted

DEAD_LETTER: Final = "dead_letter"
LEAF_COLUMNS: Final = ("offset", "broker_time", "key", "headers", "raw")
"""What a leaf is made of, beside its topic and partition."""


def rows_between(
    store: Store, table: str, columns: Sequence[str], place: Place, first_offset: int, next_offset: int
) -> pl.DataFrame:
    """The rows of a table in [first_offset, next_offset) of a topic partition, in no order; String as Binary."""
    names = ", ".join(name if name == "*" else f"`{name}`" for name in columns)
    return store.frame(
        f"SELECT {names} FROM {table} WHERE {of_place(place)} AND offset >= {first_offset} AND offset < {next_offset}",
        exact_bytes=True,
    )


def table_rows(store: Store, table: str, place: Place, first_offset: int, next_offset: int) -> dict[str, pl.DataFrame]:
    """All columns of a range's rows, by table: the record type's own, and dead_letter; in offset order."""
    found = {}
    for name in dict.fromkeys((table, DEAD_LETTER)):
        frame = rows_between(store, name, ("*",), place, first_offset, next_offset)
        found[name] = frame.with_columns(pl.col("raw", "key").cast(pl.Binary)).sort("offset")
    return found


def stored_leaves(store: Store, table: str, place: Place, first_offset: int, next_offset: int) -> bytes:
    """The hashes of the leaves of a range, from the rows of a record type's table and those of dead_letter."""
    parts = [
        rows_between(store, name, LEAF_COLUMNS, place, first_offset, next_offset).with_columns(
            pl.col("raw", "key").cast(pl.Binary)
        )
        for name in (table, DEAD_LETTER)
    ]
    return leaf_hashes(*place, pl.concat(parts, how="vertical_relaxed").sort("offset"))


def of_place(place: Place) -> str:
    """The condition that a row is of a topic partition."""
    return f"topic IN ({quoted([place[0]])}) AND partition = {place[1]}"
