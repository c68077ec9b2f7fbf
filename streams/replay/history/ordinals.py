"""Ordinals: of events that come without an id, how many equal ones came before, however long the history is.

Equal is what has the same content. Of each content 64 bits of its digest are kept, on disk once there are many; beyond
that memory grows with the contents that come again. Two contents are taken for one with a probability of about the
square of their number over 2**65, and the second then has another id than it would have, which is its own all the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

HELD = 250_000
FAN_IN = 8
Hashes = npt.NDArray[np.uint64]


class Hash(Protocol):
    """A hash under way."""

    def digest(self) -> bytes:
        """What it comes to so far."""
        ...


def key_of(content: bytes) -> int:
    """What is remembered of a content."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "little")


def keys_of(hashes: Iterable[Hash]) -> list[int]:
    """The same of several, whose SHA-256 it is that is given."""
    digests = b"".join([hashed.digest() for hashed in hashes])
    keys: list[int] = np.frombuffer(digests, "<u8")[::4].tolist()
    return keys


class Ordinals:
    """Counts contents. ``held`` of them are kept in memory."""

    def __init__(self, held: int = HELD) -> None:
        self._limit = held
        self._held: set[int] = set()
        self._again: dict[int, int] = {}
        self._runs: list[Hashes] = []

    def before(self, content: str) -> int:
        """How many equal contents came before this one, which is counted from now on."""
        return self.count([key_of(content.encode("utf-8", "surrogatepass"))])[0]

    def count(self, keys: Sequence[int]) -> list[int]:
        """The same of several in order, by their keys."""
        if len(self._held) >= self._limit:
            self._write()
        written = self._written(keys)
        ordinals = []
        for key in keys:
            ordinal = self._again.get(key)
            if ordinal is None:
                ordinal = int(key in written or key in self._held)
                if not ordinal:
                    self._held.add(key)
            if ordinal:
                self._again[key] = ordinal + 1
            ordinals.append(ordinal)
        return ordinals

    def _written(self, keys: Sequence[int]) -> frozenset[int]:
        if not self._runs:
            return frozenset()
        asked = np.unique(np.array(keys, np.uint64))
        known = np.zeros(len(asked), np.bool_)
        for run in self._runs:
            places = np.searchsorted(run, asked)
            places[places == len(run)] = 0
            known |= run[places] == asked
        return frozenset(asked[known].tolist())

    def _write(self) -> None:
        self._runs.append(_on_disk([np.fromiter(self._held, np.uint64, len(self._held))]))
        self._held = set()
        # Few runs are looked at for each content: as many of about one length are made one.
        while len(self._runs) >= FAN_IN and len(self._runs[-FAN_IN]) < FAN_IN * len(self._runs[-1]):
            self._runs[-FAN_IN:] = [_on_disk(self._runs[-FAN_IN:])]


def _on_disk(parts: Iterable[Hashes]) -> Hashes:
    hashes = np.sort(np.concatenate(list(parts)))
    # The file goes with its last mapping.
    with tempfile.TemporaryFile(prefix="seamwatch-replay-") as file:
        hashes.tofile(file)
        file.flush()
        return np.memmap(file, np.uint64, "r")
