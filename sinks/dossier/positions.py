"""Positions: the numbers that rows have as leaves of the tree of their topic partition, many at once.

One query a stretch of the ledger, not one a row. Whether a row is what the leaf says, a proof tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bus.partitions import Partition
from seamwatch.errors import ProofError
from sinks.ledger.rows import DEAD_LETTER
from sinks.store.client import Store
from sinks.store.conditions import of_place

_ROWS: Final = 131_072

Offsets = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Committed ranges that follow one another: offsets [first, end), their leaves from number ``before`` on."""

    first: int
    end: int
    before: int
    offsets: Offsets
    """Of all records in it, those among them that retention removed."""

    def numbers(self, offsets: Sequence[int]) -> list[int]:
        """The leaves of records at these offsets. Raises ProofError where there is none."""
        wanted = np.asarray(offsets, np.int64)
        found = np.searchsorted(self.offsets, wanted)
        if not np.array_equal(self.offsets.take(found, mode="clip"), wanted):
            raise ProofError("a row is where no record was committed: `seamwatch verify` names it")
        return [self.before + int(at) for at in found]


def stretches(store: Store, table: str, place: Partition, first: int, last: int) -> Iterator[Stretch]:
    """The committed ranges of a topic partition between two offsets, both among them, in order."""
    commits = store.rows(
        f"SELECT DISTINCT first_offset, next_offset, size - count AS before, count FROM ledger_commit "
        f"WHERE {of_place(place)} AND next_offset > {first} AND first_offset <= {last} ORDER BY first_offset"
    )
    at = 0
    while at < len(commits):
        end, rows = at + 1, commits[at]["count"]
        while end < len(commits) and rows + commits[end]["count"] <= _ROWS:
            rows += commits[end]["count"]
            end += 1
        begin, stop = commits[at]["first_offset"], commits[end - 1]["next_offset"]
        offsets = _offsets(store, (table, DEAD_LETTER), place, begin, stop)
        yield Stretch(begin, stop, int(commits[at]["before"]), offsets)
        at = end


def _offsets(store: Store, tables: Sequence[str], place: Partition, first: int, end: int) -> Offsets:
    within = f"{of_place(place)} AND offset >= {first} AND offset < {end}"
    parts = [f"SELECT offset FROM {table} WHERE {within}" for table in tables]
    # Rows that retention removed have their leaves still.
    parts.append(
        f"SELECT arrayJoin(arrayFilter(o -> o >= {first} AND o < {end}, offsets)) AS offset FROM ledger_dropped "
        f"WHERE {of_place(place)} AND first_offset < {end} AND next_offset > {first}"
    )
    frame = store.frame(f"SELECT DISTINCT offset FROM ({' UNION ALL '.join(parts)}) ORDER BY offset")
    return frame["offset"].to_numpy().astype(np.int64) if len(frame) else np.empty(0, np.int64)
