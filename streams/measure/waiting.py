"""Waiting: the outcomes that wait for their decisions, in memory and as records of a compacted topic.

Rows of a frame, and which of them are due, found or given up; nothing is asked, joined or produced here. In the topic
they lie in chunks, so that a thousand outcomes that wait are one record: ``<partition>/<first offset>`` has the rows of
it that still wait, and is deleted with the last of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from seamwatch.columnar.panics import panics_withheld

CHUNK_ROWS = 1_000
CHUNK_BYTES = 1 << 20
ROW = {
    "partition": pl.Int32(),
    "offset": pl.Int64(),
    "arrived": pl.Int64(),
    "event_time": pl.Int64(),
    "system": pl.String(),
    "inference_id": pl.String(),
    "value": pl.Binary(),
}
"""Of an outcome: where it lies, the broker's time in milliseconds, what it is joined by, and the message's value."""

_CHUNK, _DUE = "chunk", "due"


class Waiting:
    """Some outcomes. Times of asking are in seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._rows = pl.DataFrame(schema={**ROW, _CHUNK: pl.String(), _DUE: pl.Float64()})
        self._aside = self._rows.clear()
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return self._rows.height

    def add(self, rows: pl.DataFrame, due: float) -> None:
        """Let outcomes wait, to be asked for from ``due`` on; ``rows`` has the columns of `ROW`, in offset order."""
        for _, own in rows.group_by("partition", maintain_order=True):
            for chunk in _chunks(own.select(list(ROW))):
                key = f"{chunk['partition'][0]}/{chunk['offset'][0]}"
                self._rows.vstack(_at(chunk, key, due), in_place=True)
                self._changed.add(key)
        self._rows = self._rows.rechunk()

    def restore(self, records: Mapping[str, bytes], due: float) -> dict[str, str]:
        """Take back records of the topic, all of them to be asked for from ``due`` on.

        What another release has added to them is passed over. Those that cannot be read stay where they are: their
        keys, and why.
        """
        unreadable: dict[str, str] = {}
        for key, value in sorted(records.items()):
            try:
                with panics_withheld():
                    rows = _read(value)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, TypeError) as error:
                unreadable[key] = str(error).partition("\n")[0]
            else:
                self._rows.vstack(_at(rows, key, due), in_place=True)
        self._rows = self._rows.rechunk()
        return unreadable

    def set_aside(self, rows: pl.DataFrame) -> None:
        """Let these wait no more until they are restored anew; in the topic they go on lying."""
        gone = rows.select("partition", "offset", pl.lit(value=True).alias("gone"))
        marked = self._rows.join(gone, on=["partition", "offset"], how="left", maintain_order="left")
        self._aside.vstack(marked.filter("gone").drop("gone"), in_place=True)
        self._rows = marked.filter(pl.col("gone").is_null()).drop("gone")

    def take_changed(self) -> Iterator[tuple[str, bytes | None]]:
        """What is to be written of what changed since the last call, by key; None deletes."""
        if not self._changed:
            return
        rows = pl.concat([self._rows, self._aside]).filter(pl.col(_CHUNK).is_in(self._changed)).sort("offset")
        left = {str(key): chunk for (key,), chunk in rows.group_by(_CHUNK, maintain_order=True)}
        for key in sorted(self._changed):
            yield key, _written(left[key]) if key in left else None
        self._changed.clear()

    def values(self) -> list[bytes]:
        """The messages' values."""
        return [*self._rows["value"], *self._aside["value"]]

    def next_due(self) -> float | None:
        """When the first of them is to be asked for; None when none waits."""
        first = self._rows[_DUE].min()
        return float(first) if isinstance(first, int | float) else None

    def due(self, now: float, most: int) -> list[str]:
        """The ids of decisions to be asked for now, those that have waited longest for it first."""
        due = self._rows.filter(pl.col(_DUE) <= now).sort(_DUE, maintain_order=True)
        return due["inference_id"].unique(maintain_order=True).head(most).to_list()

    def asked(self, ids: Sequence[str]) -> pl.DataFrame:
        """The outcomes of these decisions, in the columns of `ROW`."""
        return self._rows.filter(pl.col("inference_id").is_in(ids)).select(list(ROW))

    def put_off(self, ids: Sequence[str], now: float, now_ms: int, shortest: float, longest: float) -> None:
        """Ask for these decisions again later: after half as long as each outcome has waited, within bounds."""
        pause = ((now_ms - pl.col("arrived")) / 2_000).clip(shortest, longest)
        again = pl.when(pl.col("inference_id").is_in(ids)).then(now + pause).otherwise(_DUE)
        self._rows = self._rows.with_columns(again.alias(_DUE))

    def arrived_before(self, time_ms: int) -> pl.DataFrame:
        """The outcomes that arrived before a time, in the columns of `ROW`."""
        return self._rows.filter(pl.col("arrived") < time_ms).select(list(ROW))

    def oldest(self, count: int) -> pl.DataFrame:
        """The outcomes that arrived first, in the columns of `ROW`."""
        return self._rows.sort("arrived", maintain_order=True).head(max(count, 0)).select(list(ROW))

    def remove(self, rows: pl.DataFrame) -> None:
        """These need not wait any more."""
        gone = rows.select("partition", "offset", pl.lit(value=True).alias("gone"))
        marked = self._rows.join(gone, on=["partition", "offset"], how="left", maintain_order="left")
        self._changed.update(marked.filter("gone")[_CHUNK].unique())
        self._rows = marked.filter(pl.col("gone").is_null()).drop("gone")

    def earliest(self) -> Iterable[tuple[int, str, int]]:
        """Partition, system and the earliest event time, of each that an outcome waits of."""
        return self._rows.group_by("partition", "system").agg(pl.col("event_time").min()).iter_rows()


def _chunks(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    sizes = rows["value"].bin.size().to_list()
    begun = held = 0
    for number, size in enumerate(sizes):
        if number > begun and (number - begun == CHUNK_ROWS or held + size > CHUNK_BYTES):
            yield rows[begun:number]
            begun, held = number, 0
        held += size
    yield rows[begun:]


def _at(rows: pl.DataFrame, key: str, due: float) -> pl.DataFrame:
    return rows.with_columns(pl.lit(key).alias(_CHUNK), pl.lit(due, pl.Float64).alias(_DUE))


def _read(value: bytes) -> pl.DataFrame:
    # Strictly: a value that does not fit must not become a null, of which nobody would hear again.
    rows = pl.read_ipc(io.BytesIO(value)).select(list(ROW)).cast(dict(ROW.items()), strict=True)
    if any(rows.null_count().row(0)):
        raise ValueError("it has rows that lack a value")
    return rows


def _written(rows: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    rows.select(list(ROW)).write_ipc(file, compression="lz4")
    return file.getvalue()
