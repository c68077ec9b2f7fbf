"""Avro container files of any writer's schema that resolves to one of our record types, block by block.

A record that is none of ours is named by its number in the file, as a bad message on the wire is; only what makes the
rest of the file unreadable ends it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

import fastavro
import polars as pl

from seamwatch.columnar.columns import broken_bounds, frame_of, keeps_bounds
from seamwatch.columnar.container import block_of
from seamwatch.columnar.identities import identified
from seamwatch.columnar.panics import panics_withheld
from seamwatch.columnar.plan import DecodePlan, plan
from seamwatch.columnar.sizes import too_large_rows
from seamwatch.errors import RecordError, UndecodableRecord, UsageError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.identities import unidentified
from seamwatch.wire.matching import demand_types
from seamwatch.wire.resolution import Resolution, resolve
from seamwatch.wire.schemas import schema

ROWS = 16_384
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Block:
    """The records of a block as they lie in it, and how many."""

    data: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Read:
    """Records in order: ``rows`` of them, of which ``bad`` (place and reason) are none; the frame has the rest."""

    frame: pl.DataFrame
    rows: int
    bad: Sequence[tuple[int, str]] = ()


def avro_chunks(
    stream: IO[bytes], source: str, complain: Callable[[RecordError], None], record_type: str | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """A frame of some blocks; records that are no events go to ``complain``, numbered from 1 in the file.

    The type is the name of the writer's record, or else ``record_type``. Raises UsageError for a file that is broken
    or of no type of ours; blocks before the broken one have been given by then.
    """
    with _reading(source):
        reader = fastavro.block_reader(stream)
        resolution = _resolution(reader.writer_schema, record_type)
    name = resolution.schema.name
    settled = plan(resolution, resolution.schema.fields)
    first = 1
    for read in chain.from_iterable(_reads(settled, resolution, some, source) for some in _together(reader, source)):
        frame, bad = _events(name, read)
        for place, reason in bad:
            complain(RecordError(f"{source}:{first + place}: {reason}"))
        yield name, frame
        first += read.rows


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Whatever a reader of broken bytes raises, as an error that names the file."""
    try:
        yield
    except (UsageError, OSError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except Exception as error:  # noqa: BLE001 - bytes from outside make a reader raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0][:_SHOWN]
        raise UsageError(f"{source}: not an Avro container file of events: {reason}") from None


def _together(reader: Iterator[Any], source: str) -> Iterator[list[Block]]:
    """Some blocks at a time, about `ROWS` records of them.

    Writers make blocks of a hundred records or so, and a frame costs what a thousand rows do. What stands before a
    block that is broken is given before its error is raised.
    """
    held: list[Block] = []
    rows = 0
    broken: Exception | None = None
    try:
        with _reading(source):
            for block in reader:
                held.append(_block(block.bytes_.getvalue(), block.num_records))
                rows += block.num_records
                if rows >= ROWS:
                    yield held
                    held, rows = [], 0
    except (UsageError, OSError) as error:
        broken = error
    if held:
        yield held
    if broken is not None:
        raise broken


def _block(data: bytes, rows: int) -> Block:
    # Each record takes a byte at least: what claims more would have room made for it before that shows.
    if not 0 <= rows <= len(data):
        raise UndecodableRecord(f"a block of {len(data)} bytes says that it has {rows} records")
    return Block(data, rows)


def _reads(settled: DecodePlan | None, resolution: Resolution, blocks: Sequence[Block], source: str) -> Iterator[Read]:
    whole = _in_one_go(settled, Block(b"".join([each.data for each in blocks]), sum(each.rows for each in blocks)))
    if whole is not None:
        yield whole
        return
    for block in blocks:
        read = _in_one_go(settled, block)
        if read is None:
            with _reading(source):
                read = _singly(resolution, block)
        yield read


def _resolution(writer: Any, record_type: str | None) -> Resolution:
    name = str(writer.get("name", "")).rpartition(".")[2] if isinstance(writer, dict) else ""
    chosen = name if name in INPUT_TYPES else record_type
    if chosen is None:
        raise UndecodableRecord(f"its records are {name!r}; say with --type which of {', '.join(INPUT_TYPES)} they are")
    resolution = resolve(schema(chosen), writer)
    # Of a file all can be told at once what a stream is told record by record.
    demand_types(schema(chosen), writer, beside_null=True)
    return resolution


def _in_one_go(settled: DecodePlan | None, block: Block) -> Read | None:
    """Our columns of a block; None when its records must be read one by one."""
    if settled is None or not block.rows:
        return None
    try:
        with panics_withheld():
            container = settled.container
            read = pl.read_avro(
                io.BytesIO(block_of(container, block.data, block.rows)), columns=list(container.columns)
            )
    except BaseException as error:
        # A panic in the decoder comes as a BaseException of its own; a request to stop is not for us.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return None
    if read.height != block.rows or any(
        read.select(expression.fill_null(value=False).any()).item() for _, expression in settled.wrong
    ):
        return None
    return Read(read.select(settled.made), block.rows)


def _singly(resolution: Resolution, block: Block) -> Read:
    records: list[dict[str, Any]] = []
    bad: list[tuple[int, str]] = []
    for place, datum in enumerate(_datums(resolution, block)):
        try:
            records.append(resolution.read(datum))
        except UndecodableRecord as error:
            bad.append((place, str(error)))
    return Read(frame_of(resolution.schema.name, records), block.rows, bad)


def _datums(resolution: Resolution, block: Block) -> Iterator[bytes]:
    """The bytes of each record, told by reading them as they were written, whatever they are to us."""
    stream = io.BytesIO(block.data)
    read: Any = fastavro.schemaless_reader
    for _ in range(block.rows):
        begun = stream.tell()
        read(stream, resolution.parsed_skipped, handle_unicode_errors="replace")
        yield block.data[begun : stream.tell()]


def _events(name: str, read: Read) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """The events among the records, and what the others lack, by place."""
    held, lacking = identified(name, read.frame)
    kept = read.frame.select(keeps_bounds(name).alias("kept"))["kept"]
    large = dict(too_large_rows(name, held))
    if kept.all() and lacking is None and not large:
        return held, list(read.bad)
    places = iter(sorted(set(range(read.rows)) - {place for place, _ in read.bad}))
    good: list[bool] = []
    bad = list(read.bad)
    for row, place in enumerate(places):
        reason = None
        if not kept[row]:
            reason = broken_bounds(name, read.frame.row(row, named=True))
        elif lacking is not None and lacking[row]:
            reason = unidentified(name, read.frame.row(row, named=True))
        elif row in large:
            reason = large[row]
        good.append(reason is None)
        if reason is not None:
            bad.append((place, reason))
    return held.filter(pl.Series(good, dtype=pl.Boolean)), sorted(bad)
