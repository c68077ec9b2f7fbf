"""Roots: holds the leaves of one topic partition, range by range, to its signed roots, and names the row at fault.

It trusts no tile, no root and no count of the store; tiles only serve to name the row where a root does not come out,
and what they say is held to the signed root first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bus.partitions import Partition
from sinks.ledger.dropped import Dropped
from sinks.ledger.format.leaves import split
from sinks.ledger.format.merkle import HASH_SIZE, Tree
from sinks.ledger.format.tiles import WIDTH
from sinks.ledger.verify.checking import LEAF, Leaves, in_order
from sinks.ledger.verify.findings import Report
from sinks.store.client import Store
from sinks.store.conditions import of_place

_HASH: Final = f"V{HASH_SIZE}"
NamesRow = Callable[[Partition, int], Mapping[str, str | None]]
"""Topic partition and offset to the table and event of the row that is there."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A row of ledger_commit; ``committed_at`` in microseconds."""

    first_offset: int
    next_offset: int
    count: int
    size: int
    committed_at: int
    tree: bytes
    """The frontier of the tree of ``size`` leaves, where it was asked for."""


class Roots:
    """The tree of one topic partition as it is grown again, and the signed roots it must come to."""

    def __init__(
        self,
        store: Store,
        report: Report,
        place: Partition,
        table: str,
        signed: Mapping[int, bytes],
        dropped: Dropped,
        name_row: NamesRow,
        tree: Tree,
    ) -> None:
        self._store = store
        self._report = report
        self._place = place
        self._table = table
        self._signed = signed
        self._sizes = sorted(signed)
        self._dropped = dropped
        self._name_row = name_row
        self._tree = tree
        # The tree as it was at the last signed root that it came to; None once one did not come out and the tiles
        # could not mend it: nothing after it can be held to its root any more.
        self._anchor: Tree | None = tree.copy()
        self._is_unsigned = False

    def extend(self, commit: Commit, rows: Leaves) -> None:
        """Append a range, whose rows these are in the order of their offsets, and hold it to the signed roots."""
        offsets = rows["offset"]
        if len(twice := offsets[1:][offsets[1:] == offsets[:-1]]):
            message = "there is more than one row of this offset"
            self._add("twice", message, int(twice[0]), self._name_row(self._place, int(twice[0])))
            rows = rows[np.concatenate(([True], offsets[1:] != offsets[:-1]))]
        if self._dropped.drops:
            rows = self._with_dropped(commit, rows)
        self._see_unsigned(commit)
        ends = self._ends(commit)
        after = self._tree.copy()
        hashes = rows["hash"].tobytes()
        if self._reaches(after, hashes, ends) and len(rows) == commit.count:
            self._tree = after
            if self._anchor is not None and commit.size in self._signed:
                self._anchor = after.copy()
        elif self._anchor is None:
            self._tree = after
        else:
            self._tree, self._anchor = self._mended(commit, rows, ends, after, self._anchor)

    def finish(self, *, whole: bool) -> None:
        """Say what only shows at the end; ``whole`` when every range was appended, from the first on."""
        for message in self._dropped.wrong:
            self._report.add("retention", self._place, message, table="retention")
        for drop in self._dropped.broken() if whole else ():
            message = f"the rows of {drop.table} that removal {drop.drop_id} names are not those that were signed for"
            self._add("retention", message, drop.first_offset, {"table": "retention"})

    def _see_unsigned(self, commit: Commit) -> None:
        """Note the first of several ranges that nobody signed for."""
        # Ranges from before there were checkpoints are covered by the first that came after.
        is_covered = not commit.count or commit.size in self._signed or (self._sizes and commit.size <= self._sizes[0])
        if not is_covered and not self._is_unsigned:
            self._add("unsigned", f"no signed checkpoint of size {commit.size}", commit.first_offset)
        self._is_unsigned = not is_covered

    def _ends(self, commit: Commit) -> list[int]:
        """The sizes at which the tree is held to a root on its way through a range, and the range's own."""
        signed = self._sizes[bisect_right(self._sizes, self._tree.size) : bisect_right(self._sizes, commit.size)]
        return signed if signed and signed[-1] == commit.size else [*signed, commit.size]

    def _reaches(self, tree: Tree, hashes: bytes, ends: Sequence[int]) -> bool:
        """Append leaves, stopping at each size that has a signed root; whether all of them come out."""
        start, good = tree.size, True
        for end in ends:
            tree.append(hashes[(tree.size - start) * HASH_SIZE : max(0, end - start) * HASH_SIZE])
            signed = self._signed.get(end)
            good = good and tree.size == end and (signed is None or signed == tree.root())
        tree.append(hashes[(tree.size - start) * HASH_SIZE :])
        return good

    def _with_dropped(self, commit: Commit, rows: Leaves) -> Leaves:
        """The leaves of a range with those whose rows retention removed."""
        gone = self._dropped.of_range(commit.first_offset, commit.next_offset)
        kept = np.empty(len(gone), LEAF)
        kept["offset"] = gone["offset"].to_numpy()
        kept["hash"] = np.frombuffer(b"".join(gone["leaf"].to_list()), _HASH)
        kept = kept[~np.isin(kept["offset"], rows["offset"])]
        self._report.dropped += len(kept)
        return in_order([rows, kept]) if len(kept) else rows

    def _mended(
        self, commit: Commit, rows: Leaves, ends: Sequence[int], after: Tree, anchor: Tree
    ) -> tuple[Tree, Tree | None]:
        """Something is wrong: name it, and go on from what was signed, if the tiles still have that."""
        authentic, mended = self._tile_leaves(anchor.size, commit.size), anchor.copy()
        every = [*self._sizes[bisect_right(self._sizes, anchor.size) :], *ends]
        if not self._reaches(mended, b"".join(authentic), sorted({e for e in every if e <= commit.size})) or (
            mended.size != commit.size
        ):
            signed = next((end for end in ends if end in self._signed), commit.size)
            message = (
                f"the rows [{commit.first_offset}, {commit.next_offset}) do not come to the signed root of size "
                f"{signed}, and neither do the tiles: history was rewritten"
            )
            self._add("root", message, commit.first_offset)
            return after, None
        own = authentic[len(authentic) - commit.count :] if commit.count else []
        leaves = split(rows["hash"].tobytes())
        if own == leaves:
            message = "an earlier row, of a range whose checkpoint is missing, is not what was signed"
            self._add("content", message, commit.first_offset - 1)
        else:
            self._name(commit, rows["offset"].tolist(), leaves, own)
        return mended, mended.copy()

    def _name(self, commit: Commit, offsets: list[int], leaves: list[bytes], authentic: list[bytes]) -> None:
        """Name the first row that is not what was signed."""
        index = next((i for i, (a, b) in enumerate(zip(leaves, authentic, strict=False)) if a != b), None)
        index = min(len(leaves), len(authentic)) if index is None else index
        before = offsets[index - 1] + 1 if index else commit.first_offset
        if index >= len(leaves) or leaves[index] in set(authentic):
            self._add("missing", "a record that was signed has no row here", before)
            return
        what, message = "content", "raw, key, headers, broker_time or offset is not what was signed"
        if len(leaves) > len(authentic):
            what, message = "inserted", "this row was never signed for"
        elif len(authentic) > len(leaves) and index + 1 < len(authentic):
            message += ", and a record is missing"
        self._add(what, message, offsets[index], {**self._name_row(self._place, offsets[index]), "column": "raw"})

    def _tile_leaves(self, start: int, end: int) -> list[bytes]:
        """The leaves [start, end) as the tiles have them, as many as there are."""
        tiles = f"level = 0 AND tile >= {start // WIDTH} AND tile <= {end // WIDTH}"
        rows = self._store.rows(
            "SELECT DISTINCT tile, start, hex(hashes) AS hashes FROM ledger_tile "
            f"WHERE {of_place(self._place)} AND {tiles} ORDER BY tile, start"
        )
        found: dict[int, bytes] = {}
        for row in rows:
            for i, leaf in enumerate(split(bytes.fromhex(row["hashes"]))):
                found.setdefault(row["tile"] * WIDTH + row["start"] + i, leaf)
        # Not number by number: a commit that was tampered with may say any size. Nor are tiles what they should be.
        return [found[i] for i in sorted(found) if start <= i < end and len(found[i]) == HASH_SIZE]

    def _add(self, what: str, message: str, offset: int, named: Mapping[str, str | None] | None = None) -> None:
        self._report.add(what, self._place, message, **{"table": self._table, "offset": offset, **(named or {})})
