"""Dropped rows: what retention says, over the ledger's signature, that it removed; for whoever verifies a tree.

A row of `retention` counts for what its signed note says and for nothing else; the leaves come from the tiles, and both
are held to the root in the note, and by the verifier to the roots of the checkpoints. Reads; removes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from bus.partitions import Partition
from seamwatch.durations import SECOND
from seamwatch.errors import ProofError
from seamwatch.instants import format_instant, parse_instant
from seamwatch.settings import RETENTION_FLOOR
from sinks.ledger.format.leaves import split
from sinks.ledger.format.merkle import HASH_SIZE, Tree
from sinks.ledger.format.notes import VerifierKey, read_note
from sinks.ledger.format.tiles import WIDTH
from sinks.store.client import Store
from sinks.store.conditions import of_place

Noted = tuple[str, str]
"""The id of a removal, and the text that is said to be its signed note."""

_KIND: Final = "retention"
_NO_ROWS: Final = pl.DataFrame(schema={"offset": pl.Int64, "leaf": pl.Binary})


@dataclass(frozen=True, slots=True)
class Drop:
    """The rows of one topic partition in one month of one table, and why they are gone.

    ``root`` is that of the tree of their leaves alone, in offset order; ``kept_for`` and ``dropped_at`` are
    microseconds. Texts hold no line breaks.
    """

    drop_id: str
    table: str
    month: int
    place: Partition
    first_offset: int
    next_offset: int
    count: int
    root: bytes
    kept_for: int
    dropped_at: int
    person: str
    reason: str

    def text(self, name: str) -> str:
        """What is signed by the ledger of this name: one thing a line."""
        topic, partition = self.place
        return (
            f"{name}/{_KIND}/{self.drop_id}\n"
            f"table {self.table} {self.month}\n"
            f"topic {topic} {partition}\n"
            f"offsets {self.first_offset} {self.next_offset}\n"
            f"leaves {self.count} {self.root.hex()}\n"
            f"kept {self.kept_for // SECOND}\n"
            f"dropped {format_instant(self.dropped_at)}\n"
            f"by {self.person}\n"
            f"because {self.reason}\n"
        )


def read_drop(note: str, keys: Sequence[VerifierKey]) -> Drop:
    """The drop in a note that one of the keys signed.

    Raises ProofError when no known key signed it, when it says no drop, or one of a month whose time was not over:
    younger than it says that rows are kept for, or than the floor.
    """
    text, name = read_note(note, keys)
    lines = text[:-1].split("\n")
    words = [line.split(" ") for line in lines]
    try:
        head, drop_id = lines[0].rsplit("/", 1)
        drop = Drop(
            drop_id=drop_id,
            table=words[1][1],
            month=int(words[1][2]),
            place=(words[2][1], int(words[2][2])),
            first_offset=int(words[3][1]),
            next_offset=int(words[3][2]),
            count=int(words[4][1]),
            root=bytes.fromhex(words[4][2]),
            kept_for=int(words[5][1]) * SECOND,
            dropped_at=parse_instant(words[6][1]),
            person=lines[7].partition(" ")[2],
            reason=lines[8].partition(" ")[2],
        )
    except (ValueError, IndexError) as error:
        raise ProofError("a note of retention has not the lines of one") from error
    # Written again it must be the same text: nothing is read into it that was not signed.
    if head != f"{name}/{_KIND}" or drop.text(name) != text:
        raise ProofError("a note of retention has not the lines of one")
    if drop.dropped_at - month_end(drop.month) < max(drop.kept_for, RETENTION_FLOOR):
        raise ProofError(f"{drop.table} of {drop.month} was dropped before its time was over")
    return drop


def month_end(month: int) -> int:
    """When a table partition such as 202601 ends, in microseconds. Raises ValueError when it is none."""
    year, number = divmod(month, 100)
    if not 1 <= number <= 12:
        raise ValueError(f"{month} is no month")
    return int(datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def read_noted(store: Store, place: Partition | None = None) -> dict[Partition, list[Noted]]:
    """What the store notes of removals, by topic partition and in the order of their ids; of one alone, if named."""
    found: dict[Partition, list[Noted]] = {}
    of_one = "" if place is None else f"WHERE {of_place(place)} "
    noted = f"SELECT DISTINCT topic, partition, drop_id, note FROM retention {of_one}ORDER BY drop_id"
    for row in store.rows(noted):
        found.setdefault((row["topic"], row["partition"]), []).append((row["drop_id"], row["note"]))
    return found


class Dropped:
    """The signed drops of one topic partition, and the leaves they left; ``wrong`` says which rows do not hold.

    Ask it range by range, in ascending order: it holds no more than one of them at a time.
    """

    def __init__(
        self, store: Store, keys: Sequence[VerifierKey], place: Partition, noted: Sequence[Noted] | None = None
    ) -> None:
        """``noted`` is what is noted of this topic partition, for whoever has read it of all; else it is read."""
        self._store = store
        self._place = place
        self.wrong: list[str] = []
        self.drops: dict[str, Drop] = {}
        for drop_id, note in read_noted(store, place).get(place, []) if noted is None else noted:
            try:
                drop = read_drop(note, keys)
            except ProofError as error:
                self.wrong.append(f"removal {drop_id}: {error}")
                continue
            if (drop.drop_id, drop.place) == (drop_id, place):
                self.drops[drop.drop_id] = drop
            else:
                self.wrong.append(f"removal {drop_id}: its note is of another one, {drop.drop_id}")
        self._trees = {drop_id: Tree() for drop_id in self.drops}
        self._ranges = self._listed()
        self._open: dict[_DroppedRange, pl.DataFrame] = {}

    def of_range(self, first_offset: int, next_offset: int) -> pl.DataFrame:
        """The leaves of rows that were dropped in a range of offsets: ``offset`` (Int64), ``leaf`` (Binary).

        In offset order, each once. Rows that are still there are for the caller to prefer: a removal may be under way.
        """
        self._open = {dropped: rows for dropped, rows in self._open.items() if dropped.next_offset > first_offset}
        while self._ranges and self._ranges[-1].first_offset < next_offset:
            dropped = self._ranges.pop()
            if dropped.next_offset > first_offset:
                self._open[dropped] = self._read(dropped)
        found = [
            rows.filter(pl.col("offset").is_between(first_offset, next_offset - 1)) for rows in self._open.values()
        ]
        return pl.concat([_NO_ROWS, *found]).unique("offset", keep="first").sort("offset")

    def broken(self) -> list[Drop]:
        """The drops whose leaves, in all ranges that were asked for, do not come to the root that was signed."""
        return [
            drop
            for drop_id, drop in self.drops.items()
            if (self._trees[drop_id].size, self._trees[drop_id].root()) != (drop.count, drop.root)
        ]

    def _listed(self) -> list[_DroppedRange]:
        """The ranges of the signed drops, the last one first."""
        if not self.drops:
            return []
        rows = self._store.rows(
            f"SELECT DISTINCT drop_id, first_offset, next_offset FROM ledger_dropped WHERE {of_place(self._place)} "
            "ORDER BY first_offset DESC, drop_id DESC"
        )
        return [_DroppedRange(**row) for row in rows if row["drop_id"] in self.drops]

    def _read(self, dropped: _DroppedRange) -> pl.DataFrame:
        rows = self._store.rows(
            f"SELECT offsets, indexes FROM ledger_dropped WHERE {of_place(self._place)} AND drop_id = {{id:String}} "
            f"AND first_offset = {dropped.first_offset} AND next_offset = {dropped.next_offset} LIMIT 1",
            {"id": dropped.drop_id},
        )
        offsets, indexes = rows[0]["offsets"], rows[0]["indexes"]
        leaves = leaves_at(self._store, self._place, indexes)
        self._trees[dropped.drop_id].append(leaves)
        each = split(leaves)[: len(offsets)]
        return pl.DataFrame({"offset": offsets[: len(each)], "leaf": each}, schema=_NO_ROWS.schema)


@dataclass(frozen=True, slots=True)
class _DroppedRange:
    """A row of ledger_dropped."""

    drop_id: str
    first_offset: int
    next_offset: int


def leaves_at(store: Store, place: Partition, indexes: Sequence[int]) -> bytes:
    """The leaves with these numbers in the tree of a topic partition, up to the first that no tile has."""
    if not indexes:
        return b""
    first, last = min(indexes) // WIDTH, max(indexes) // WIDTH
    rows = store.rows(
        f"SELECT DISTINCT tile, start, hex(hashes) AS hashes FROM ledger_tile WHERE {of_place(place)} "
        f"AND level = 0 AND tile >= {first} AND tile <= {last} ORDER BY tile, start"
    )
    # Only of tiles that are there: what is asked for may be any number, if it was tampered with.
    tiles = np.array(sorted({row["tile"] for row in rows}), np.uint64)
    table = np.zeros((len(tiles), WIDTH), f"V{HASH_SIZE}")
    known = np.zeros((len(tiles), WIDTH), bool)
    for row in rows:
        at, start = np.searchsorted(tiles, row["tile"]), row["start"]
        hashes = np.frombuffer(_whole(bytes.fromhex(row["hashes"])), table.dtype)[: WIDTH - start]
        table[at, start : start + len(hashes)] = hashes
        known[at, start : start + len(hashes)] = True
    wanted = np.array(indexes, np.uint64)
    tile, number = wanted // WIDTH, wanted % WIDTH
    place_of_tile = np.searchsorted(tiles, tile)
    there = np.isin(tile, tiles)
    there[there] = known[place_of_tile[there], number[there]]
    end = len(wanted) if there.all() else int(np.argmin(there))
    return table[place_of_tile[:end], number[:end]].tobytes()


def _whole(hashes: bytes) -> bytes:
    return hashes[: len(hashes) // HASH_SIZE * HASH_SIZE]
