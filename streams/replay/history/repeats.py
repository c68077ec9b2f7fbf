"""Repeated events of a history: each id counts once, at its earliest time, however long the history is.

What is remembered of an event while it is read is a hash of its id and one of its content, its time among it, on disk
once there are many. Ids whose hash came with several contents are looked at one by one, and told: they were given to
several events. Copies of one content lie side by side once sorted. So memory grows with the ids that several events
have, and with nothing else. No id is ever taken for another; of 2**64 other contents one is taken for the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

PARTS = 64
HELD = 1_000_000
_KEY = np.dtype([("hash", "<u8"), ("content", "<u8")])
CONTENT = "__content"
"""The column of a frame that has the hashes of contents."""
Keys = npt.NDArray[np.void]


class Repeats:
    """Finds the ids of one record type that come again with other content. ``held`` keys are kept in memory."""

    def __init__(self, folder: Path, *, held: int = HELD) -> None:
        self._folder = folder
        self._limit = held
        self._held: list[Keys] = []
        self._rows = 0
        self._written = False
        self._suspects: npt.NDArray[np.uint64] | None = None

    def add(self, ids: pl.Series, contents: pl.Series) -> None:
        """Take note of events, by hashes (UInt64) of what they say beside their ids."""
        keys = np.empty(len(ids), _KEY)
        keys["hash"] = ids.hash(seed=0).to_numpy()
        keys["content"] = contents.to_numpy()
        self._held.append(keys)
        self._rows += len(keys)
        if self._rows >= self._limit:
            self._write()

    def fresh(self) -> Fresh:
        """What tells copies apart, over all that was taken note of; for one reading in order."""
        if self._suspects is None:
            if self._written:
                self._write()
                parts = (
                    np.fromfile(self._part(number), _KEY) for number in range(PARTS) if self._part(number).exists()
                )
            else:
                parts = (np.concatenate(self._held) for _ in range(bool(self._held)))
            found = [_of_several_contents(keys) for keys in parts]
            self._suspects = np.sort(np.concatenate(found)) if found else np.empty(0, np.uint64)
            self._held = []
        return Fresh(self._suspects)

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:02d}.keys"

    def _write(self) -> None:
        keys = np.concatenate(self._held) if self._held else np.empty(0, _KEY)
        self._held, self._rows, self._written = [], 0, True
        # Of numbers this small a stable sort is one pass.
        numbers = (keys["hash"] >> np.uint64(58)).astype(np.uint8)
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(PARTS + 1))
        for number in range(PARTS):
            part = keys[order[ends[number] : ends[number + 1]]]
            if len(part):
                with self._part(number).open("ab") as file:
                    part.tofile(file)


class Fresh:
    """Leaves the copies out of rows that come in order."""

    def __init__(self, suspects: npt.NDArray[np.uint64]) -> None:
        self._suspects = suspects
        self._first: dict[str, int] = {}

    def of(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows whose event has not been seen, and those whose id another event had before.

        Rows of one event time must come in one frame, which has `CONTENT`; the answers have it no more.
        """
        kept = np.ones(frame.height, np.bool_)
        other = np.zeros(frame.height, np.bool_)
        times, ids = frame["event_time"], frame["event_id"]
        again = ((times == times.shift(1)) & (ids == ids.shift(1))).fill_null(value=False)
        if again.any():
            kept &= ~again.to_numpy()
        if len(self._suspects):
            hashes = ids.hash(seed=0).to_numpy()
            places = np.searchsorted(self._suspects, hashes)
            places[places == len(self._suspects)] = 0
            rows = np.flatnonzero(self._suspects[places] == hashes)
            those = zip(rows.tolist(), ids.gather(rows).to_list(), frame[CONTENT].gather(rows).to_list(), strict=True)
            for row, name, content in those:
                kept[row] = name not in self._first
                other[row] = self._first.setdefault(name, content) != content
        frame = frame.drop(CONTENT)
        if kept.all():
            return frame, frame.clear()
        return frame.filter(pl.Series(kept)), frame.filter(pl.Series(other))


def _of_several_contents(keys: Keys) -> npt.NDArray[np.uint64]:
    """The hashes of ids that come with more than one content."""
    hashes = keys["hash"]
    order = np.argsort(hashes)
    hashes, contents = hashes[order], keys["content"][order]
    equal = hashes[1:] == hashes[:-1]
    if not equal.any():
        return np.empty(0, np.uint64)
    # Within a run of equal hashes some neighbours differ in content exactly when not all are of one content.
    return np.unique(hashes[1:][equal & (contents[1:] != contents[:-1])])
