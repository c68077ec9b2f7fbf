"""Avro container files of any writer's schema that resolves to one of our record types, block by block."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import IO, Any

import fastavro
import polars as pl

from seamwatch.columnar.columns import broken_bounds, frame_of, keeps_bounds
from seamwatch.columnar.container import block_of
from seamwatch.columnar.identities import identified
from seamwatch.columnar.panics import panics_withheld
from seamwatch.columnar.plan import Plan, plan
from seamwatch.errors import RecordError, UndecodableRecord, UsageError
from seamwatch.wire.identities import unidentified
from seamwatch.wire.resolution import Resolution, resolve
from seamwatch.wire.schemas import INPUT_TYPES, schema

ROWS = 16_384
Block = tuple[bytes, int]
"""The records of a block as they lie in it, and how many."""
_BROKEN = (ValueError, EOFError, IndexError, KeyError, UndecodableRecord)


def avro_chunks(
    stream: IO[bytes], source: str, complain: Callable[[RecordError], None], record_type: str | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """A frame of some blocks; records that break a bound go to ``complain``, numbered from 1 in the file.

    The type is the name of the writer's record, or else ``record_type``. Raises UsageError for a file that is broken
    or of no type of ours; blocks before the broken one have been given by then.
    """
    try:
        reader = fastavro.block_reader(stream)
        resolution = _resolution(reader.writer_schema, record_type)
        name = resolution.schema.name
        settled = plan(resolution, resolution.schema.fields)
        first = 1
        for frame in chain.from_iterable(_frames(settled, resolution, blocks) for blocks in _together(reader)):
            kept = frame.select(keeps_bounds(name).alias("kept"))["kept"]
            held, lacking = identified(name, frame)
            for row in range(frame.height) if not kept.all() or lacking is not None else ():
                values = frame.row(row, named=True)
                if not kept[row]:
                    complain(RecordError(f"{source}:{first + row}: {broken_bounds(name, values)}"))
                elif lacking is not None and lacking[row]:
                    complain(RecordError(f"{source}:{first + row}: {unidentified(name, values)}"))
            yield name, held.filter(kept if lacking is None else kept & ~lacking)
            first += frame.height
    except _BROKEN as error:
        raise UsageError(f"{source}: not an Avro container file of events: {error}") from None


def _together(reader: Iterator[Any]) -> Iterator[list[Block]]:
    """Some blocks at a time, about `ROWS` records of them.

    Writers make blocks of a hundred records or so, and a frame costs what a thousand rows do. What stands before a
    block that is broken is given before its error is raised.
    """
    held: list[Block] = []
    rows = 0
    broken: Exception | None = None
    try:
        for block in reader:
            held.append((block.bytes_.getvalue(), block.num_records))
            rows += block.num_records
            if rows >= ROWS:
                yield held
                held, rows = [], 0
    except (*_BROKEN, OSError, zlib.error) as error:
        broken = error
    if held:
        yield held
    if broken is not None:
        raise broken


def _frames(settled: Plan | None, resolution: Resolution, blocks: Sequence[Block]) -> Iterator[pl.DataFrame]:
    whole = _in_one_go(settled, b"".join([data for data, _ in blocks]), sum(rows for _, rows in blocks))
    if whole is not None:
        yield whole
        return
    for data, rows in blocks:
        frame = _in_one_go(settled, data, rows)
        yield frame_of(resolution.schema.name, _singly(resolution, data, rows)) if frame is None else frame


def _resolution(writer: Any, record_type: str | None) -> Resolution:
    name = str(writer.get("name", "")).rpartition(".")[2] if isinstance(writer, dict) else ""
    chosen = name if name in INPUT_TYPES else record_type
    if chosen is None:
        raise UndecodableRecord(f"its records are {name!r}; say with --type which of {', '.join(INPUT_TYPES)} they are")
    return resolve(schema(chosen), writer)


def _in_one_go(settled: Plan | None, data: bytes, rows: int) -> pl.DataFrame | None:
    """Our columns of a block; None when its records must be read one by one."""
    if settled is None or not rows:
        return None
    try:
        with panics_withheld():
            read = pl.read_avro(
                io.BytesIO(block_of(settled.container, data, rows)), columns=list(settled.container.columns)
            )
    except BaseException as error:
        # A panic in the decoder comes as a BaseException of its own; a request to stop is not for us.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return None
    if read.height != rows or any(
        read.select(expression.fill_null(value=False).any()).item() for _, expression in settled.wrong
    ):
        return None
    return read.select(settled.made)


def _singly(resolution: Resolution, data: bytes, rows: int) -> list[dict[str, Any]]:
    stream = io.BytesIO(data)
    reader: Any = fastavro.schemaless_reader
    return [reader(stream, resolution.parsed_writer, resolution.parsed_reader) for _ in range(rows)]
