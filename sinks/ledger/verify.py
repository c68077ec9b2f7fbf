"""The verifier: holds the rows of a store to its signed checkpoints, with nothing but public keys and SELECT.

Each range of each topic partition is read whole: its leaves are computed from the raw rows and appended to the tree,
whose roots must be those of the signed checkpoints; its raw bytes are decoded again, and every typed column must be
what they say. It trusts no tile, no root and no count of the store; tiles only serve to name the row where a root does
not come out. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from seamwatch.errors import ProofError
from seamwatch.wire.topics import Topics
from sinks.blocks import Decode
from sinks.ledger.compare import compare
from sinks.ledger.findings import Report
from sinks.ledger.leaves import leaf_hashes, split
from sinks.ledger.ledger import origin_of
from sinks.ledger.merkle import Tree
from sinks.ledger.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.rows import DEAD_LETTER, of_place, table_rows
from sinks.ledger.tiles import WIDTH
from sinks.reading import Place
from sinks.store import Store


@dataclass(frozen=True, slots=True)
class Commit:
    """A row of ledger_commit."""

    first_offset: int
    next_offset: int
    count: int
    size: int


class Verifier:
    """Verifies one store. ``outside`` are notes that were kept elsewhere; ``progress`` is told the rows done so far."""

    def __init__(
        self,
        store: Store,
        keys: Sequence[VerifierKey],
        topics: Topics,
        decode: Decode,
        outside: Iterable[str] = (),
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._topics = topics
        self._decode = decode
        self._outside = list(outside)
        self._progress = progress
        self._tables = _record_tables(store)
        self.report = Report()

    def run(self) -> Report:
        """Verify every topic partition. Raises UnreachableError or StoreError when the store cannot be read."""
        kept = self._outside_checkpoints()
        for place in sorted({*self._places(), *kept}):
            self._verify(place, kept.get(place, []))
        return self.report

    def _places(self) -> set[Place]:
        tables = ("ledger_commit", "checkpoint", *self._tables)
        rows = self._store.rows(" UNION DISTINCT ".join(f"SELECT topic, partition FROM {table}" for table in tables))
        return {(row["topic"], row["partition"]) for row in rows}

    def _outside_checkpoints(self) -> dict[Place, list[Checkpoint]]:
        found: dict[Place, list[Checkpoint]] = {}
        for note in self._outside:
            checkpoint = read_checkpoint(note, self._keys)  # a copy that does not hold is its keeper's to mend
            name, _, partition = checkpoint.origin.rpartition("/")
            found.setdefault((name.rpartition("/")[2], int(partition)), []).append(checkpoint)
        return found

    def _verify(self, place: Place, kept: list[Checkpoint]) -> None:
        self.report.partitions += 1
        commits, roots = self._commits(place), self._roots(place, kept)
        record_type = "document" if place[0] == self._topics.contracts else self._topics.record_type(place[0])
        table = record_type or DEAD_LETTER
        self._see_strangers(place, table, commits)
        tree = Tree()
        anchor: Tree | None = Tree()
        for commit in commits:
            rows = table_rows(self._store, table, place, commit.first_offset, commit.next_offset)
            self._see_duplicates(place, table, rows)
            tree, anchor = self._extend(place, table, commit, tree, anchor, rows, roots)
            for name, frame in rows.items():
                compare(self.report, place, record_type or "unknown", name, frame, self._decode)
            self.report.rows += sum(map(len, rows.values()))
            self._progress(self.report.rows)
        committed = commits[-1].size if commits else 0
        if (ahead := max(roots, default=0)) > committed:
            message = f"a signed checkpoint is of {ahead} records, and {committed} are committed: the end is missing"
            self.report.add("ahead", place, message, offset=commits[-1].next_offset if commits else 0)

    def _commits(self, place: Place) -> list[Commit]:
        rows = self._store.rows(
            f"SELECT DISTINCT first_offset, next_offset, count, size FROM ledger_commit WHERE {of_place(place)} "
            "ORDER BY next_offset, first_offset"
        )
        commits = [Commit(**row) for row in rows]
        following, size = commits[0].first_offset if commits else 0, 0
        for commit in commits:
            if commit.first_offset != following or commit.size != size + commit.count:
                self.report.add(
                    "commit",
                    place,
                    f"the commits do not follow one another: {following} is where [{commit.first_offset}, "
                    f"{commit.next_offset}) of {commit.count} to {commit.size} should begin, after {size}",
                    table="ledger_commit",
                    offset=following,
                )
            following, size = commit.next_offset, commit.size
        return commits

    def _roots(self, place: Place, kept: list[Checkpoint]) -> dict[int, bytes]:
        """The signed root of each size; what does not hold, or says two things of one size, is a finding."""
        rows = self._store.rows(
            f"SELECT DISTINCT tree_size, hex(root_hash) AS root, note FROM checkpoint WHERE {of_place(place)} "
            "ORDER BY tree_size"
        )
        found: dict[int, bytes] = {}
        for row in rows:
            self.report.checkpoints += 1
            try:
                checkpoint = self._checkpoint(place, row)
            except ProofError as error:
                self.report.add("checkpoint", place, f"size {row['tree_size']}: {error}", table="checkpoint")
                continue
            self._agree(place, found, checkpoint, "the store")
        for checkpoint in kept:
            self._agree(place, found, checkpoint, "a copy kept elsewhere")
        return found

    def _checkpoint(self, place: Place, row: Mapping[str, Any]) -> Checkpoint:
        """The signed checkpoint of a row; ProofError when it is none, or says something else than the row."""
        checkpoint = read_checkpoint(row["note"], self._keys)
        if checkpoint.origin not in {origin_of(key.name, place) for key in self._keys}:
            raise ProofError(f"the note is of {checkpoint.origin}")
        if (checkpoint.size, checkpoint.root) != (row["tree_size"], bytes.fromhex(row["root"])):
            raise ProofError("the row says another size or root than its signed note")
        return checkpoint

    def _agree(self, place: Place, found: dict[int, bytes], checkpoint: Checkpoint, whose: str) -> None:
        known = found.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            message = f"two signed roots of size {checkpoint.size}, the second in {whose}: the history was forked"
            self.report.add("fork", place, message, table="checkpoint")

    def _see_strangers(self, place: Place, table: str, commits: list[Commit]) -> None:
        """Rows outside every range, and rows of this topic in a table where none of them belongs."""
        first, following = (commits[0].first_offset, commits[-1].next_offset) if commits else (0, 0)
        parts = []
        for name in self._tables:
            inside = "0" if name not in (table, DEAD_LETTER) else f"offset >= {first} AND offset < {following}"
            columns = f"'{name}' AS name, count() AS rows, min(offset) AS first"
            parts.append(f"SELECT {columns} FROM {name} WHERE {of_place(place)} AND NOT ({inside})")
        for row in self._store.rows(f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE rows > 0 ORDER BY first, name"):
            message = f"{row['rows']} rows from here on are in no committed range of this table"
            self.report.add("inserted", place, message, table=row["name"], offset=row["first"])

    def _see_duplicates(self, place: Place, table: str, rows: dict[str, pl.DataFrame]) -> None:
        offsets = pl.concat([frame["offset"] for frame in rows.values()]).sort()
        if twice := offsets.filter(offsets.is_duplicated()).to_list():
            self.report.add("twice", place, "there is more than one row of this offset", table=table, offset=twice[0])

    def _extend(
        self,
        place: Place,
        table: str,
        commit: Commit,
        tree: Tree,
        anchor: Tree | None,
        rows: dict[str, pl.DataFrame],
        roots: dict[int, bytes],
    ) -> tuple[Tree, Tree | None]:
        """Append a range to the tree and hold it to the signed roots; the tree, and as it was at the last signed root.

        The latter is None once a root did not come out and the tiles could not mend it: then nothing after it can be
        held to its root any more, and only decoding goes on.
        """
        every = _in_order(rows)
        leaves = split(leaf_hashes(*place, every))
        ends = sorted({size for size in roots if tree.size < size <= commit.size} | {commit.size})
        # Ranges from before there were checkpoints are covered by the first that came after.
        if commit.count and commit.size not in roots and commit.size > min(roots, default=0):
            message = f"no signed checkpoint of size {commit.size}"
            self.report.add("unsigned", place, message, offset=commit.first_offset)
        after = tree.copy()
        good = _reaches(after, leaves, ends, roots) and len(leaves) == commit.count
        if anchor is None or good:
            return after, after.copy() if anchor is not None and commit.size in roots else anchor
        # Something is wrong: do the leaves that the tiles keep come to the signed roots?
        authentic, mended = self._tile_leaves(place, anchor.size, commit.size), anchor.copy()
        if not _reaches(mended, authentic, ends, roots) or mended.size != commit.size:
            signed = next((end for end in ends if end in roots), commit.size)
            message = (
                f"the rows [{commit.first_offset}, {commit.next_offset}) do not come to the signed root of size "
                f"{signed}, and neither do the tiles: history was rewritten"
            )
            self.report.add("root", place, message, table=table, offset=commit.first_offset)
            return after, None
        own = authentic[len(authentic) - commit.count :] if commit.count else []
        if own == leaves:
            message = "an earlier row, of a range whose checkpoint is missing, is not what was signed"
            self.report.add("content", place, message, table=table, offset=commit.first_offset - 1)
        else:
            self._name(place, table, commit, every, leaves, own)
        return mended, mended.copy()

    def _name(
        self,
        place: Place,
        table: str,
        commit: Commit,
        every: pl.DataFrame,
        leaves: list[bytes],
        authentic: list[bytes],
    ) -> None:
        """Name the first row that is not what was signed."""
        index = next((i for i, (a, b) in enumerate(zip(leaves, authentic, strict=False)) if a != b), None)
        index = min(len(leaves), len(authentic)) if index is None else index
        before = every["offset"][index - 1] + 1 if index else commit.first_offset
        known = set(authentic)
        if index >= len(leaves) or leaves[index] in known:
            message = "a record that was signed has no row here"
            self.report.add("missing", place, message, table=table, offset=before)
            return
        row = every.row(index, named=True)
        missing = len(authentic) > len(leaves) and index + 1 < len(authentic)
        what, message = "content", "raw, key, headers, broker_time or offset is not what was signed"
        if len(leaves) > len(authentic):
            what, message = "inserted", "this row was never signed for"
        elif missing:
            message += ", and a record is missing"
        named = {"table": row["table"], "offset": row["offset"], "event_id": row["event_id"], "column": "raw"}
        self.report.add(what, place, message, **named)

    def _tile_leaves(self, place: Place, start: int, end: int) -> list[bytes]:
        """The leaves [start, end) as the tiles have them, as many as there are."""
        tiles = f"level = 0 AND tile >= {start // WIDTH} AND tile <= {end // WIDTH}"
        rows = self._store.rows(
            f"SELECT DISTINCT tile, start, hex(hashes) AS hashes FROM ledger_tile WHERE {of_place(place)} AND {tiles} "
            "ORDER BY tile, start"
        )
        found: dict[int, bytes] = {}
        for row in rows:
            for i, leaf in enumerate(split(bytes.fromhex(row["hashes"]))):
                found.setdefault(row["tile"] * WIDTH + row["start"] + i, leaf)
        return [found[i] for i in range(start, end) if i in found]


def _reaches(tree: Tree, leaves: list[bytes], ends: list[int], roots: dict[int, bytes]) -> bool:
    """Append leaves, stopping at each size that has a signed root; whether all of them come out."""
    start, good = tree.size, True
    for end in ends:
        tree.append(b"".join(leaves[tree.size - start : end - start]))
        good = good and tree.size == end and roots.get(end, tree.root()) == tree.root()
    if len(leaves) > tree.size - start:
        tree.append(b"".join(leaves[tree.size - start :]))
    return good


def _in_order(rows: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows of all tables in offset order: what their leaves are made of, their table and their event."""
    parts = []
    for table, frame in rows.items():
        event = pl.col("event_id").cast(pl.String) if "event_id" in frame.columns else pl.lit(None, dtype=pl.String)
        part = frame.select("offset", "broker_time", "key", "headers", "raw", event.alias("event_id"))
        parts.append(part.with_columns(table=pl.lit(table)))
    return pl.concat(parts, how="vertical_relaxed").sort("offset")


def _record_tables(store: Store) -> list[str]:
    """The tables that hold records: those with raw bytes and an offset."""
    rows = store.rows(
        "SELECT table FROM system.columns WHERE database = currentDatabase() AND name IN ('raw', 'offset', 'headers') "
        "GROUP BY table HAVING count() = 3 ORDER BY table"
    )
    return [row["table"] for row in rows]
