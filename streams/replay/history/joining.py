"""Joining on disk: outcomes of a history take what they lack from its decisions, however many there are of both.

Some outcomes are joined in memory, in one reading of the decisions. Where there are more, both go to disk in parts by
the decision's id, each part is joined by itself, and what comes of it is sorted again. Which outcome takes what is
`streams.measure.outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from pathlib import Path

import numpy as np
import polars as pl

from streams.measure.outcomes import join_outcomes
from streams.replay.history.sorting import BLOCK_ROWS, ROWS_IN_MEMORY, Sorter

PARTS = 64
OF_DECISION = {
    "system": pl.String(),
    "event_id": pl.String(),
    "score": pl.Float64(),
    "cohort": pl.String(),
    "version": pl.String(),
}
"""What outcomes take from their decisions, and by which they find them."""
Unjoined = Callable[[pl.DataFrame], pl.Series]


def joined(
    outcomes: Iterable[pl.DataFrame],
    unjoined: Unjoined,
    decisions: Callable[[], Iterable[pl.DataFrame]],
    folder: Path,
    *,
    rows_in_memory: int = ROWS_IN_MEMORY,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[pl.DataFrame]:
    """The outcomes in their order, each row of which ``unjoined`` says so joined to its decision.

    ``outcomes`` come in blocks in order of (event_time, event_id) that part no event time, and so they go;
    ``decisions`` gives all there are, and is asked once at most. ``folder`` is empty, and stays so until about
    ``rows_in_memory`` outcomes are held.
    """
    blocks = iter(outcomes)
    held: list[pl.DataFrame] = []
    rows = 0
    for block in blocks:
        if not held and not unjoined(block).any():
            yield block
            continue
        held.append(block)
        rows += block.height
        if rows >= rows_in_memory:
            yield from _on_disk(chain(held, blocks), unjoined, decisions(), folder, rows_in_memory, block_rows)
            return
    if held:
        frame = pl.concat(held, how="diagonal")
        mask = unjoined(frame)
        yield join_outcomes(frame, mask, _named(decisions(), frame["inference_id"].filter(mask)))


def _on_disk(
    outcomes: Iterable[pl.DataFrame],
    unjoined: Unjoined,
    decisions: Iterable[pl.DataFrame],
    folder: Path,
    rows_in_memory: int,
    block_rows: int,
) -> Iterator[pl.DataFrame]:
    folders = [folder / name for name in ("outcomes", "decisions", "joined")]
    for each in folders:
        each.mkdir()
    asking = _Parts(folders[0], "inference_id", rows_in_memory)
    asked = _Parts(folders[1], "event_id", rows_in_memory)
    sorter = Sorter(folders[2], rows_in_memory=rows_in_memory, block_rows=block_rows)
    for block in outcomes:
        mask = unjoined(block)
        sorter.add(block.filter(~mask))
        asking.add(block.filter(mask))
    for block in decisions:
        asked.add(_lean(block))
    for number in range(PARTS):
        lacking = asking.take(number)
        if lacking is not None:
            found = asked.take(number)
            everything = pl.repeat(value=True, n=lacking.height, eager=True)
            sorter.add(join_outcomes(lacking, everything, _empty() if found is None else found))
    yield from sorter.blocks()


class _Parts:
    """Rows by the hash of an id, in files; of each part in the order in which they came."""

    def __init__(self, folder: Path, by: str, rows: int) -> None:
        self._folder = folder
        self._by = by
        self._limit = rows
        self._held: list[pl.DataFrame] = []
        self._rows = 0
        self._numbers = count()

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows in."""
        self._held.append(frame)
        self._rows += frame.height
        if self._rows >= self._limit:
            self._write()

    def take(self, number: int) -> pl.DataFrame | None:
        """The rows of one part; None when there are none. Nothing can be added any more."""
        self._write()
        files = sorted(self._folder.glob(f"{number:02d}-*.arrow"))
        frames = [pl.read_ipc(file) for file in files]
        for file in files:
            file.unlink()
        return pl.concat(frames, how="diagonal") if frames else None

    def _write(self) -> None:
        if not self._rows:
            return
        frame = pl.concat(self._held, how="diagonal")
        self._held, self._rows = [], 0
        numbers = _hashes(frame[self._by]) >> np.uint64(58)
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(PARTS + 1))
        frame, written = frame[order], next(self._numbers)
        for number in range(PARTS):
            if ends[number] < ends[number + 1]:
                part = frame.slice(ends[number], ends[number + 1] - ends[number])
                part.write_ipc(self._folder / f"{number:02d}-{written:08d}.arrow", compression="lz4")


def _named(decisions: Iterable[pl.DataFrame], ids: pl.Series) -> pl.DataFrame:
    # Those with one of these ids, and maybe a few more: whose hash is that of one.
    wanted = np.unique(_hashes(ids))
    found = [_empty()]
    for block in decisions:
        if not block.is_empty() and len(wanted):
            hashes = _hashes(block["event_id"])
            places = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
            found.append(_lean(block.filter(pl.Series(wanted[places] == hashes))))
    return pl.concat(found, how="diagonal")


def _hashes(ids: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    hashes: np.ndarray[tuple[int], np.dtype[np.uint64]] = ids.hash(seed=0).to_numpy()
    return hashes


def _lean(decisions: pl.DataFrame) -> pl.DataFrame:
    return decisions.select([name for name in OF_DECISION if name in decisions.columns])


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=OF_DECISION)
