"""Repeated events count once: which of some ids have not been seen before.

Two memories with one interface: `RecentIds` for streams, of bounded size, and `EveryId` for histories. Neither is
kept on disk; measure warms its own after a start by reading what came just before its position.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

WAYS = 8
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Dedup(Protocol):
    """A memory of ids."""

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        ...


class EveryId:
    """Remembers every id exactly, in memory that grows with their number (about 100 bytes an id)."""

    def __init__(self) -> None:
        self._seen: set[object] = set()

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        seen = self._seen
        mask = []
        for key in ids.to_list():
            mask.append(key not in seen)
            seen.add(key)
        return pl.Series(mask, dtype=pl.Boolean)


class RecentIds:
    """Remembers recent ids as 64-bit hashes, in a table of fixed size (``capacity`` times 8 bytes).

    A set-associative table: an id's hash chooses a bucket of eight places, the oldest of which is overwritten when
    the bucket is full. Limits: of the last ``capacity / 4`` ids about one in 5,000 is forgotten early (buckets fill
    unevenly), of the last ``capacity / 2`` one in 50, and would count again if it were repeated then; two different
    ids are taken for one with a probability of about ``capacity / 2**64`` an event.
    """

    def __init__(self, capacity: int = 1 << 22) -> None:
        buckets = 1 << max((capacity // WAYS - 1).bit_length(), 4)
        self._mask = np.uint64(buckets - 1)
        # Filled, not left for the kernel to map page by page in the middle of the first batches.
        self._table: npt.NDArray[np.uint64] = np.full((buckets, WAYS), 0, np.uint64)
        self._next: npt.NDArray[np.uint8] = np.full(buckets, 0, np.uint8)

    def fresh(self, ids: pl.Series) -> pl.Series:
        """A mask: True for each id that was never seen, at its first place here; they are seen from now on."""
        hashes = ids.hash(seed=0)
        # Zero marks an empty place.
        keys = np.maximum(hashes.to_numpy(), np.uint64(1))
        buckets = ((keys * _MIXER) >> np.uint64(32)) & self._mask
        known = self._known(keys, buckets)
        new = ~known
        ordered = np.sort(keys)
        if (ordered[1:] == ordered[:-1]).any():
            new &= hashes.is_first_distinct().to_numpy()
        self._insert(keys[new], buckets[new])
        return pl.Series(new)

    def _known(self, keys: npt.NDArray[np.uint64], buckets: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        known: npt.NDArray[np.bool_] = (self._table[buckets] == keys[:, None]).any(axis=1)
        return known

    def _insert(self, keys: npt.NDArray[np.uint64], buckets: npt.NDArray[np.uint64]) -> None:
        # Of several keys for one bucket each pass places one: rarely more than two or three passes.
        while len(keys):
            self._table[buckets, self._next[buckets]] = keys
            placed = self._table[buckets, self._next[buckets]] == keys
            done = buckets[placed]
            self._next[done] = (self._next[done] + 1) % WAYS
            keys, buckets = keys[~placed], buckets[~placed]
