"""Retention: whole months of a table are dropped when their time is over and no hold keeps them; nothing else removes.

    months that are over → held? → rows held to the ledger, what goes is listed → still not held? → signed note → drop

A TTL of the engine would do it unseen, in the middle of a merge, whatever hold there is and without a trace. Here the
rows are held to the signed roots first, so that nothing that was tampered with is cleared away; what goes is written
down before it goes, and its leaves stay, so that every root can still be computed (`sinks.ledger.dropped`). Safe to
repeat after a crash at any point, and to run twice at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from bus.partitions import Partition
from seamwatch.durations import SECOND, compact_duration
from seamwatch.errors import StoreError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.topics import Topics
from sinks.columns import TIME
from sinks.ledger.dropped import Drop, Dropped, leaves_at, month_end
from sinks.ledger.format.leaves import leaf_hashes
from sinks.ledger.format.merkle import HASH_SIZE, Tree
from sinks.ledger.format.notes import SignerKey
from sinks.ledger.rows import DEAD_LETTER, LEAF_COLUMNS
from sinks.retention.holds import holding
from sinks.store.client import Store
from sinks.store.cluster import Cluster
from sinks.store.conditions import of_place
from sinks.store.positions import positions
from sinks.store.questions.holds import Hold

TABLES: Final = (*INPUT_TYPES, "violation", "verdict", "notice", "page", "outage", DEAD_LETTER)
"""What may be dropped; documents are kept as long as the decisions that were judged by them, and erasures."""
CHUNK_ROWS: Final = 100_000
"""So many rows are read at a time; memory does not grow with the month."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a table whose time is over; ``kept_for`` in microseconds, ``hold`` is what keeps it all the same."""

    table: str
    month: int
    rows: int
    kept_for: int
    hold: Hold | None


class Retention:
    """Drops what is over in one store; ``periods`` are microseconds by table, ``*`` for the others.

    ``progress`` is told the rows that were held to the ledger so far.
    """

    def __init__(
        self,
        store: Store,
        topics: Topics,
        periods: Mapping[str, int],
        now: int,
        progress: Callable[[int], None] = lambda _rows: None,
        cluster: Cluster | None = None,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._topics = topics
        self._periods = periods
        self._now = now
        self._progress = progress
        self._read = 0

    def months(self) -> list[Month]:
        """The months whose time is over, oldest first; those of tables without a retention are never."""
        kept = {table: self._periods.get(table, self._periods.get("*")) for table in TABLES}
        counts = " UNION ALL ".join(
            f"SELECT '{table}' AS table, toYYYYMM(broker_time) AS month, count() AS rows FROM {table} GROUP BY month"
            for table, period in kept.items()
            if period is not None
        )
        if not counts:
            return []
        found = []
        for row in self._store.rows(f"SELECT * FROM ({counts}) ORDER BY month, table"):
            kept_for = kept[row["table"]] or 0
            if month_end(row["month"]) + kept_for <= self._now:
                found.append(Month(**row, kept_for=kept_for, hold=self._holding(row["table"], row["month"])))
        return found

    def drop(self, month: Month, key: SignerKey, person: str) -> list[Drop]:
        """Drop a month for good; returns what is signed for, one a topic partition, none when a hold keeps it.

        Its rows MUST come to the ledger's roots, and its leaves be in the tiles; StoreError otherwise, and then
        nothing is removed.
        """
        reason = f"retention of {month.table} is {compact_duration(month.kept_for)}"
        drops = [self._listed(month, rows, key, person, reason) for rows in self._rows_of(month)]
        count = self._store.rows(f"SELECT count() AS rows FROM {month.table} WHERE {_of_month(month)}")[0]["rows"]
        if count != sum(drop.count for drop in drops):
            raise StoreError(
                f"{month.table} of {month.month} is being written to: nothing was dropped, try again later"
            )
        # The last look: a hold that was placed while the rows were read keeps them, and nobody signs for their going.
        if self._holding(month.table, month.month) is not None:
            return []
        for drop in drops:
            note = key.note(drop.text(key.name))
            self._store.insert("retention", _retention_row(drop, note), f"retention/{drop.drop_id}")
        # What no row is left of must not be taken off the counts of those that are.
        self._drop_partition("repeated", f"('{month.table}', {month.month})")
        self._drop_partition(month.table, str(month.month))
        return drops

    def _drop_partition(self, table: str, partition: str) -> None:
        name = table if self._cluster is None else self._cluster.local_name(table)
        self._store.command(f"ALTER TABLE {name} DROP PARTITION {partition} SETTINGS max_partition_size_to_drop = 0")

    def _holding(self, table: str, month: int) -> Hold | None:
        return holding(self._store, table, month, _month_start(month), month_end(month))

    def _rows_of(self, month: Month) -> list[_Rows]:
        rows = self._store.rows(
            "SELECT topic, partition, min(offset) AS first, max(offset) + 1 AS following, count() AS count "
            f"FROM {month.table} WHERE {_of_month(month)} GROUP BY topic, partition ORDER BY topic, partition"
        )
        return [_Rows((row["topic"], row["partition"]), row["first"], row["following"], row["count"]) for row in rows]

    def _listed(self, month: Month, rows: _Rows, key: SignerKey, person: str, reason: str) -> Drop:
        """Hold the rows of one topic partition to the ledger, and list those that go."""
        topic, partition = rows.place
        known = positions(self._store, [topic]).get(rows.place)
        if known is not None and known.intent is not None and known.intent.first_offset < rows.next_offset:
            raise StoreError(f"{topic}[{partition}] is being recorded in {month.month}: try again once it is further")
        # The same rows give the same id: a removal that is repeated after a crash is the same one.
        identity = (month.table, month.month, topic, partition, rows.first_offset, rows.next_offset, rows.count)
        drop_id = hashlib.sha256(repr(identity).encode()).hexdigest()[:32]
        tree = Tree()
        # Until the note says so, what is listed here counts for nothing.
        for first, following, going in self._chunks(month, rows, key):
            if len(going):
                tree.append(b"".join(going["leaf"].to_list()))
                frame = _dropped_row(drop_id, rows.place, first, following, going)
                self._store.insert("ledger_dropped", frame, f"ledger_dropped/{drop_id}/{first}")
        return Drop(
            drop_id=drop_id,
            table=month.table,
            month=month.month,
            place=rows.place,
            first_offset=rows.first_offset,
            next_offset=rows.next_offset,
            count=tree.size,
            root=tree.root(),
            kept_for=month.kept_for,
            dropped_at=self._now,
            person=" ".join(person.split()),
            reason=reason,
        )

    def _chunks(self, month: Month, rows: _Rows, key: SignerKey) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """Spans of whole committed ranges, each held to its root, and what goes of it: offset, leaf, index."""
        topic, partition = place = rows.place
        before = Dropped(self._store, [key.verifier], place)
        tree, at = self._tree_before(place, rows.first_offset)
        while at < rows.next_offset:
            commits = self._commits(place, at)
            if not commits:
                raise StoreError(f"{topic}[{partition}]: offset {at} is in no committed range: run `seamwatch verify`")
            following, last, base = commits[-1]["next_offset"], commits[-1], tree.size
            every = self._leaves(month, place, at, following, before)
            leaves = b"".join(every["leaf"].to_list())
            tree.append(leaves)
            roots = {tree.root(), last["root"] or tree.root(), self._signed_root(place, tree.size) or tree.root()}
            if tree.size != last["size"] or len(roots) > 1:
                raise StoreError(
                    f"{topic}[{partition}]: the rows [{at}, {following}) do not come to the ledger's root, so nothing "
                    f"of {month.table} in {month.month} is dropped; `seamwatch verify` names the row"
                )
            if leaves_at(self._store, place, range(base, tree.size)) != leaves:
                raise StoreError(
                    f"{topic}[{partition}]: the tiles lack leaves of [{at}, {following}), which would be lost with the "
                    f"rows, so nothing of {month.table} in {month.month} is dropped"
                )
            self._read += len(every)
            self._progress(self._read)
            yield at, following, every.with_row_index("index", offset=base).filter("goes")
            at = following

    def _tree_before(self, place: Partition, offset: int) -> tuple[Tree, int]:
        """The tree as it was before the committed range that an offset is in, and where that range begins."""
        rows = self._store.rows(
            f"SELECT next_offset, size, hex(frontier) AS frontier, root != '' AS grown FROM ledger_commit "
            f"WHERE {of_place(place)} AND next_offset <= {offset} ORDER BY next_offset DESC LIMIT 1"
        )
        if not rows:
            first = self._store.rows(f"SELECT min(first_offset) AS first FROM ledger_commit WHERE {of_place(place)}")
            return Tree(), int(first[0]["first"] or 0)
        row = rows[0]
        if row["size"] and not row["grown"]:
            raise StoreError(
                f"{place[0]}[{place[1]}] has records from before the ledger, whose leaves cannot be kept yet"
            )
        return Tree(int(row["size"]), bytes.fromhex(row["frontier"])), int(row["next_offset"])

    def _commits(self, place: Partition, at: int) -> list[dict[str, Any]]:
        """The next committed ranges, together about a chunk's rows."""
        rows = self._store.rows(
            "SELECT DISTINCT first_offset, next_offset, count, size, hex(root) AS root FROM ledger_commit "
            f"WHERE {of_place(place)} AND first_offset >= {at} ORDER BY next_offset LIMIT 5000"
        )
        taken: list[dict[str, Any]] = []
        total = 0
        for row in rows:
            total += row["count"]
            if taken and total > CHUNK_ROWS:
                break
            taken.append({**row, "root": bytes.fromhex(row["root"])})
        return taken

    def _leaves(self, month: Month, place: Partition, first: int, following: int, before: Dropped) -> pl.DataFrame:
        """Every leaf of a span in offset order: ``offset``, ``leaf``, and whether its row ``goes`` with the month."""
        parts = []
        for table in dict.fromkeys((self._table(place), DEAD_LETTER)):
            rows = self._store.frame(
                f"SELECT {', '.join(LEAF_COLUMNS)} FROM {table} "
                f"WHERE {of_place(place)} AND offset >= {first} AND offset < {following}",
                exact_bytes=True,
            ).with_columns(
                pl.col("raw", "key").cast(pl.Binary),
                goes=pl.lit(table == month.table) & (pl.col("broker_time").dt.strftime("%Y%m") == str(month.month)),
            )
            parts.append(rows)
        rows = pl.concat(parts, how="vertical_relaxed").sort("offset")
        hashes = leaf_hashes(*place, rows)
        leaves = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
        there = rows.select("offset", "goes").with_columns(leaf=pl.Series(leaves, dtype=pl.Binary))
        gone = before.of_range(first, following).join(there, on="offset", how="anti").with_columns(goes=pl.lit(False))
        every: pl.DataFrame = pl.concat([there, gone.select("offset", "goes", "leaf")])
        return every.sort("offset")

    def _table(self, place: Partition) -> str:
        if place[0] == self._topics.contracts:
            return "document"
        return self._topics.record_type(place[0]) or DEAD_LETTER

    def _signed_root(self, place: Partition, size: int) -> bytes | None:
        rows = self._store.rows(
            f"SELECT hex(root_hash) AS root FROM checkpoint WHERE {of_place(place)} AND tree_size = {size} LIMIT 1"
        )
        return bytes.fromhex(rows[0]["root"]) if rows else None


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a month of a table has of one topic partition, and the offsets that it spans."""

    place: Partition
    first_offset: int
    next_offset: int
    count: int


def _month_start(month: int) -> int:
    return month_end(month - 1 if month % 100 > 1 else month - 89)


def _of_month(month: Month) -> str:
    return f"toYYYYMM(broker_time) = {month.month}"


def _dropped_row(drop_id: str, place: Partition, first: int, following: int, going: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "drop_id": [drop_id],
            "topic": [place[0]],
            "partition": pl.Series([place[1]], dtype=pl.Int32),
            "first_offset": pl.Series([first], dtype=pl.Int64),
            "next_offset": pl.Series([following], dtype=pl.Int64),
            "offsets": pl.Series([going["offset"]], dtype=pl.List(pl.Int64)),
            "indexes": pl.Series([going["index"].cast(pl.UInt64)], dtype=pl.List(pl.UInt64)),
        }
    )


def _retention_row(drop: Drop, note: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "drop_id": [drop.drop_id],
            "table": [drop.table],
            "month": pl.Series([drop.month], dtype=pl.UInt32),
            "topic": [drop.place[0]],
            "partition": pl.Series([drop.place[1]], dtype=pl.Int32),
            "first_offset": pl.Series([drop.first_offset], dtype=pl.Int64),
            "next_offset": pl.Series([drop.next_offset], dtype=pl.Int64),
            "count": pl.Series([drop.count], dtype=pl.UInt64),
            "root": pl.Series([drop.root], dtype=pl.Binary),
            "kept_for": pl.Series([drop.kept_for // SECOND], dtype=pl.UInt64),
            "dropped_at": pl.Series([drop.dropped_at], dtype=pl.Int64).cast(TIME),
            "person": [drop.person],
            "reason": [drop.reason],
            "note": [note],
        }
    )
