"""Avro container files of any writer's schema that resolves to one of our record types, block by block."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

import fastavro
import polars as pl

from seamwatch.columnar.columns import broken_bounds, frame_of, keeps_bounds
from seamwatch.columnar.container import block_of
from seamwatch.columnar.panics import panics_withheld
from seamwatch.columnar.plan import Plan, plan
from seamwatch.errors import RecordError, UndecodableRecord, UsageError
from seamwatch.wire.resolution import Resolution, resolve
from seamwatch.wire.schemas import INPUT_TYPES, schema


def avro_chunks(
    stream: IO[bytes], source: str, complain: Callable[[RecordError], None], record_type: str | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """A frame a block; records that break a bound go to ``complain``, numbered from 1 in the file.

    The type is the name of the writer's record, or else ``record_type``. Raises UsageError for a file that is broken
    or of no type of ours; blocks before the broken one have been given by then.
    """
    try:
        reader = fastavro.block_reader(stream)
        resolution = _resolution(reader.writer_schema, record_type)
        name = resolution.schema.name
        settled = plan(resolution, resolution.schema.fields)
        first = 1
        for block in reader:
            data: bytes = cast(Any, block).bytes_.getvalue()
            frame = _in_one_go(settled, data, block.num_records)
            if frame is None:
                frame = frame_of(name, _singly(resolution, data, block.num_records))
            kept = frame.select(keeps_bounds(name).alias("kept"))["kept"]
            for row in (~kept).arg_true():
                broken = broken_bounds(name, frame.row(row, named=True))
                complain(RecordError(f"{source}:{first + row}: {broken}"))
            yield name, frame.filter(kept)
            first += block.num_records
    except (ValueError, EOFError, IndexError, KeyError, UndecodableRecord) as error:
        raise UsageError(f"{source}: not an Avro container file of events: {error}") from None


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
