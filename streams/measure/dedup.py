"""Repeated events count once: which of some ids have not been seen before, and which came with other content.

Two memories with one interface: `RecentIds` for streams, of bounded size, and `EveryId` for histories. Neither is
kept on disk; measure warms its own after a start by reading what came just before its position. The first content that
comes under an id is the one that counts; a later one that differs is the fault of whoever gave two events one id.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

WAYS = 8
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_Contents = npt.NDArray[np.uint32]


class Looked(NamedTuple):
    """Masks of some ids: those never seen before, at their first place; those of other content than the first."""

    fresh: pl.Series
    other: pl.Series


class Dedup(Protocol):
    """A memory of ids."""

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        ...

    def look(self, ids: pl.Series, contents: pl.Series) -> Looked:
        """The same, and which of the others came with other content; ``contents`` are hashes of it (UInt64)."""
        ...


class EveryId:
    """Remembers every id exactly, in memory that grows with their number (about 150 bytes an id)."""

    def __init__(self) -> None:
        self._seen: dict[object, int] = {}

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        return self.look(ids, pl.repeat(0, len(ids), dtype=pl.UInt64, eager=True)).fresh

    def look(self, ids: pl.Series, contents: pl.Series) -> Looked:
        """The same, and which of the others came with other content; ``contents`` are hashes of it (UInt64)."""
        seen = self._seen
        fresh, other = [], []
        for key, content in zip(ids.to_list(), contents.to_list(), strict=True):
            first = seen.setdefault(key, -1)
            fresh.append(first < 0)
            other.append(first >= 0 and first != content)
            if first < 0:
                seen[key] = content
        return Looked(pl.Series(fresh, dtype=pl.Boolean), pl.Series(other, dtype=pl.Boolean))


class RecentIds:
    """Remembers recent ids as 64-bit hashes, in a table of fixed size (``capacity`` times 8 bytes).

    A set-associative table: an id's hash chooses a bucket of eight places, the oldest of which is overwritten when
    the bucket is full. Limits: of the last ``capacity / 4`` ids about one in 5,000 is forgotten early (buckets fill
    unevenly), of the last ``capacity / 2`` one in 50, and would count again if it were repeated then; two different
    ids are taken for one with a probability of about ``capacity / 2**64`` an event.

    With ``contents`` it remembers, in half as much memory again, 32 bits of the content that first came under an id:
    of four billion other contents one is taken for the same.
    """

    def __init__(self, capacity: int = 1 << 22, *, contents: bool = False) -> None:
        buckets = 1 << max((capacity // WAYS - 1).bit_length(), 4)
        self._mask = np.uint64(buckets - 1)
        # Filled, not left for the kernel to map page by page in the middle of the first batches.
        self._table: npt.NDArray[np.uint64] = np.full((buckets, WAYS), 0, np.uint64)
        self._contents: _Contents | None = np.full((buckets, WAYS), 0, np.uint32) if contents else None
        self._next: npt.NDArray[np.uint8] = np.full(buckets, 0, np.uint8)

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        return self._look(ids, None).fresh

    def look(self, ids: pl.Series, contents: pl.Series) -> Looked:
        """The same, and which of the others came with other content; ``contents`` are hashes of it (UInt64)."""
        return self._look(ids, contents.to_numpy().astype(np.uint32))

    def _look(self, ids: pl.Series, contents: _Contents | None) -> Looked:
        hashes = ids.hash(seed=0)
        # Zero marks an empty place.
        keys = np.maximum(hashes.to_numpy(), np.uint64(1))
        buckets = ((keys * _MIXER) >> np.uint64(32)) & self._mask
        places = self._table[buckets] == keys[:, None]
        seen: npt.NDArray[np.bool_] = places.any(axis=1)
        new, other = ~seen, np.zeros(len(keys), np.bool_)
        if contents is not None and self._contents is not None and seen.any():
            # Few are repeated: only these are compared.
            rows = np.flatnonzero(seen)
            other[rows] = self._contents[buckets[rows], places[rows].argmax(axis=1)] != contents[rows]
        ordered = np.sort(keys)
        if (ordered[1:] == ordered[:-1]).any():
            first = hashes.is_first_distinct().to_numpy()
            if contents is not None:
                other |= new & ~first & (contents != _firsts(keys, contents))
            new &= first
        self._insert(keys[new], buckets[new], None if contents is None else contents[new])
        return Looked(pl.Series(new), pl.Series(other))

    def _insert(
        self, keys: npt.NDArray[np.uint64], buckets: npt.NDArray[np.uint64], contents: _Contents | None
    ) -> None:
        # Of several keys for one bucket each pass places one: rarely more than two or three passes.
        while len(keys):
            at = self._next[buckets]
            self._table[buckets, at] = keys
            placed = self._table[buckets, at] == keys
            done = buckets[placed]
            if contents is not None and self._contents is not None:
                self._contents[done, at[placed]] = contents[placed]
                contents = contents[~placed]
            self._next[done] = (at[placed] + 1) % WAYS
            keys, buckets = keys[~placed], buckets[~placed]


def _firsts(keys: npt.NDArray[np.uint64], contents: _Contents) -> _Contents:
    """For each key the content at the first place of it."""
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return contents[first][which]
