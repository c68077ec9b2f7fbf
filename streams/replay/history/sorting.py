"""Sorting on disk: rows in event-time order, however many, with a bounded number of them in memory.

Rows are gathered until there are enough, sorted, and written as a run of blocks; runs are then read side by side.
Input that is in order already becomes a single run. Order is (event_time, event_id, input): of two copies of an event
the one that came first comes first. Which copies count is `streams.replay.history.repeats`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import polars as pl

ROWS_IN_MEMORY = 250_000
BLOCK_ROWS = 32_768
FAN_IN = 32
ORDER = ("event_time", "event_id")


class Block(Protocol):
    """Rows in order, read when they are needed."""

    @property
    def first(self) -> int:
        """The event time of the first of them."""
        ...

    def read(self) -> pl.DataFrame:
        """The rows."""
        ...


@dataclass(frozen=True, slots=True)
class HeldBlock:
    """A block in memory."""

    frame: pl.DataFrame
    first: int

    def read(self) -> pl.DataFrame:
        """The rows."""
        return self.frame


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """A block in a file of its own."""

    path: Path
    first: int

    def read(self) -> pl.DataFrame:
        """The rows."""
        return pl.read_ipc(self.path)


@dataclass(slots=True)
class Run:
    """Blocks in order; ``level`` is how often they have been merged."""

    blocks: list[Block]
    last: int
    level: int = 0


class Sorter:
    """Takes the rows of one record type in any order, and gives them back in event-time order.

    Frames have `ORDER` and may differ in their other columns, which are then null where they lack. ``folder`` holds
    the runs; nothing is written there until ``rows_in_memory`` have come. Empty blocks never come back.
    """

    def __init__(self, folder: Path, *, rows_in_memory: int = ROWS_IN_MEMORY, block_rows: int = BLOCK_ROWS) -> None:
        self._folder = folder
        self._rows_in_memory = rows_in_memory
        self._block_rows = block_rows
        self._gathered: list[pl.DataFrame] = []
        self._rows = 0
        self._runs: list[Run] = []
        self._numbers = count()

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows in, after all that came before."""
        if frame.is_empty():
            return
        self._gathered.append(frame)
        self._rows += frame.height
        if self._rows >= self._rows_in_memory:
            self._write()

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All rows in order; rows of one event time are never parted. May be asked again."""
        runs = list(self._runs)
        if self._gathered:
            held = _sorted(self._gathered)
            runs.append(Run([HeldBlock(held, _first(held))], _last(held)))
        return merged([run.blocks for run in runs])

    def _write(self) -> None:
        frame = _sorted(self._gathered)
        self._gathered, self._rows = [], 0
        first, last = _first(frame), _last(frame)
        if self._runs and first > self._runs[-1].last:
            self._runs[-1].blocks.extend(self._written([frame]))
            self._runs[-1].last = last
            return
        self._runs.append(Run(list(self._written([frame])), last))
        # As many runs as are read at once stay bounded: equals are merged, as neighbours, so that input order holds.
        while len(self._runs) >= FAN_IN and len({run.level for run in self._runs[-FAN_IN:]}) == 1:
            several = self._runs[-FAN_IN:]
            blocks = list(self._written(merged([run.blocks for run in several])))
            for run in several:
                for block in run.blocks:
                    if isinstance(block, WrittenBlock):
                        block.path.unlink()
            self._runs[-FAN_IN:] = [Run(blocks, max(run.last for run in several), several[0].level + 1)]

    def _written(self, frames: Iterator[pl.DataFrame] | list[pl.DataFrame]) -> Iterator[Block]:
        for frame in frames:
            for part in frame.iter_slices(self._block_rows):
                path = self._folder / f"{next(self._numbers):06d}.arrow"
                part.write_ipc(path, compression="lz4")
                yield WrittenBlock(path, _first(part))


def merged(runs: Sequence[Sequence[Block]]) -> Iterator[pl.DataFrame]:
    """The rows of several runs in order; rows of one event time are never parted, input order is that of the runs."""
    cursors = [_Cursor(blocks) for blocks in runs if blocks]
    while cursors:
        horizon = min((c.horizon for c in cursors if c.horizon is not None), default=None)
        parts = [part for cursor in cursors if (part := cursor.take(horizon)) is not None]
        if parts:
            yield parts[0] if len(parts) == 1 else _sorted(parts)
        else:
            # Nothing lies before the horizon: who stands on it reads on.
            for cursor in cursors:
                if cursor.horizon == horizon:
                    cursor.read_on()
        cursors = [cursor for cursor in cursors if not cursor.done]


class _Cursor:
    """One run as it is read: its rows that have been read and not taken, and the blocks that are still unread."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._unread = list(reversed(blocks))
        self._rows: pl.DataFrame | None = None

    @property
    def horizon(self) -> int | None:
        """Rows before it have all been read; None when the run has been read to its end."""
        if not self._unread:
            return None
        return self._unread[-1].first if self._rows is None else _last(self._rows)

    @property
    def done(self) -> bool:
        return self._rows is None and not self._unread

    def take(self, horizon: int | None) -> pl.DataFrame | None:
        """The rows before the horizon, or all of them; None when there are none."""
        rows = self._rows
        if rows is None:
            return None
        if horizon is None:
            self._rows = None
            return rows
        end = int(rows["event_time"].search_sorted(horizon, side="left"))
        if end == 0:
            return None
        self._rows = rows.slice(end) if end < rows.height else None
        return rows.slice(0, end)

    def read_on(self) -> None:
        more = self._unread.pop().read()
        self._rows = more if self._rows is None else pl.concat([self._rows, more], how="diagonal")


def _sorted(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")
    times = frame["event_time"]
    if times.is_sorted() and times.n_unique() == len(times):
        return frame
    return frame.sort(ORDER, maintain_order=True)


def _first(frame: pl.DataFrame) -> int:
    return int(frame["event_time"][0])


def _last(frame: pl.DataFrame) -> int:
    return int(frame["event_time"][-1])
