"""Parquet: rows whose columns are our fields, of the type that a column ``type`` or the caller says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

import polars as pl

from seamwatch.columnar.columns import columns, frame_of, keeps_bounds
from seamwatch.columnar.identities import identified
from seamwatch.columnar.panics import panics_withheld
from seamwatch.columnar.sizes import too_large_rows
from seamwatch.errors import RecordError, UsageError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.schemas import Field, nearest, schema
from seamwatch.wire.text import canonical, record_of
from streams.replay.history.ordinals import Ordinals

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 32_768
Complain = Callable[[RecordError], None]


def parquet_chunks(
    file: IO[bytes], source: str, complain: Complain, record_type: str | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Frames of the rows, in order within a type; rows that hold no event go to ``complain``, numbered from 1.

    A column that the type of a row does not have must be null there. Absent event_ids are made of a row's content.
    Raises UsageError for a file that is broken, and for rows of no type.
    """
    import pyarrow.parquet as pq

    ordinals = Ordinals()
    first = 1
    with _reading(source):
        # Buffering ahead would hold the bytes of the whole file.
        batches = iter(pq.ParquetFile(file, pre_buffer=False).iter_batches(batch_size=ROWS))
    while True:
        with _reading(source):
            batch = next(batches, None)
            if batch is None:
                return
            rows = _rows(batch, first, source, complain)
        first += batch.num_rows
        if "type" not in rows.columns:
            if record_type is None:
                raise UsageError(f"{source}: has no column type; say with --type which of its rows are: {_known()}")
            rows = rows.with_columns(type=pl.lit(record_type))
        for name, group in _by_type(rows):
            yield from _group(name, group.drop("type"), source, complain, ordinals)


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Whatever a reader of broken bytes raises, a panic among it, as an error that names the file."""
    try:
        with panics_withheld():
            yield
    except (UsageError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - bytes from outside make a reader raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{source}: not a Parquet file that can be read: {reason}") from None


def _rows(batch: pa.RecordBatch, first: int, source: str, complain: Complain) -> pl.DataFrame:
    """The rows of a batch, numbered; without those that hold text which is none, since nobody may look at it."""
    import pyarrow as pa

    numbers = pl.Series("__row", range(first, first + batch.num_rows), dtype=pl.UInt32)
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        kept = []
        for row in range(batch.num_rows):
            # A copy: of a slice all that its lists are cut from would be looked at.
            wrong = _not_text(batch.take(pa.array([row])))
            kept.append(wrong is None)
            if wrong is not None:
                complain(RecordError(f"{source}:{first + row}: {wrong} is not UTF-8"))
        mask = pa.array(kept, pa.bool_())
        batch, numbers = batch.filter(mask), numbers.filter(pl.Series(kept, dtype=pl.Boolean))
    rows = cast(pl.DataFrame, pl.from_arrow(batch))
    return rows.insert_column(0, numbers)


def _not_text(row: pa.RecordBatch) -> str | None:
    """The first column of a row that holds text which is none."""
    import pyarrow as pa

    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return str(name)
    return None


def _by_type(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    rows = rows.with_columns(type=_texts(rows["type"]))
    # Mostly there is one, and then nothing needs to be taken apart.
    if rows["type"].n_unique() == 1:
        yield rows["type"][0], rows
        return
    for (name,), group in rows.group_by("type", maintain_order=True):
        yield str(name), group


def _texts(types: pl.Series) -> pl.Series:
    """The types as texts, whatever the file has them as: bytes, categories, or what is no type at all."""
    if types.dtype == pl.String:
        return types.fill_null("")
    try:
        return pl.Series(types.name, map(_text, types.to_list()), dtype=pl.String)
    except (ValueError, OverflowError):
        # Values that Python does not have, such as a time after the year 9999: no type of event is among them.
        return pl.repeat(str(types.dtype), len(types), dtype=pl.String, eager=True).alias(types.name)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _known() -> str:
    return ", ".join(INPUT_TYPES)


def _group(
    name: str, rows: pl.DataFrame, source: str, complain: Complain, ordinals: Ordinals
) -> Iterator[tuple[str, pl.DataFrame]]:
    if name not in INPUT_TYPES:
        for row in rows["__row"]:
            complain(RecordError(f"{source}:{row}: {name!r} is no type of event{nearest(name, INPUT_TYPES)}"))
        return
    # Of a file of several types each has the columns of all.
    rows = rows.select(
        column for column in rows if column.name in schema(name).names or column.null_count() < rows.height
    )
    frame = _in_one_go(name, rows.drop("__row"))
    if frame is not None:
        yield name, frame
        return
    records, numbers = [], []
    for number, row in _each(rows):
        if isinstance(row, Exception):
            complain(RecordError(f"{source}:{number}: cannot be read: {row}"))
            continue
        try:
            event = {"type": name, **row}
            ordinal = ordinals.before(canonical(event)) if event.get("event_id") is None else 0
            _, record = record_of(event, make_ids=True, ordinal=ordinal)
        except RecordError as error:
            complain(RecordError(f"{source}:{number}: {error}"))
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            complain(RecordError(f"{source}:{number}: cannot be read: {error}"))
        else:
            records.append(record)
            numbers.append(number)
    if records:
        frame = frame_of(name, records)
        large = dict(too_large_rows(name, frame))
        for place, reason in large.items():
            complain(RecordError(f"{source}:{numbers[place]}: {reason}"))
        yield name, frame.filter(pl.Series([row not in large for row in range(frame.height)], dtype=pl.Boolean))


def _each(rows: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any] | Exception]]:
    """Number and values of each row, or why it has none that Python knows, such as a time after the year 9999."""
    numbers, rows = rows["__row"].to_list(), rows.drop("__row")
    try:
        yield from zip(numbers, rows.rows(named=True), strict=True)
    except (ValueError, OverflowError, TypeError):
        pass
    else:
        return
    for place, number in enumerate(numbers):
        try:
            yield number, rows.row(place, named=True)
        except (ValueError, OverflowError, TypeError) as error:
            yield number, error


def _in_one_go(name: str, rows: pl.DataFrame) -> pl.DataFrame | None:
    """The rows as whole records; None when any needs more than a cast that loses nothing."""
    form = schema(name)
    if not set(rows.columns) <= set(form.names):
        return None
    made = []
    for field in form.fields:
        kind = columns(name)[field.name]
        if field.name not in rows.columns:
            if field.required:
                return None
            made.append(pl.Series(field.name, [field.default], dtype=kind).new_from_index(0, rows.height))
            continue
        column = _cast(field, rows[field.name], kind)
        if column is None:
            return None
        made.append(column)
    frame, lacking = identified(name, pl.DataFrame(made))
    if lacking is not None or not frame.select(keeps_bounds(name).all()).item():
        return None
    return None if any(too_large_rows(name, frame)) else frame


def _cast(field: Field, column: pl.Series, kind: pl.DataType) -> pl.Series | None:
    given: Any = column.dtype
    usual = (
        given == kind
        or given == pl.Null
        or (field.time and isinstance(given, pl.Datetime) and given.time_zone is not None)
        or (kind == pl.String and isinstance(given, pl.Categorical | pl.Enum))
        or (kind.is_integer() and given.is_integer())
        or (kind == pl.Float64 and (given.is_integer() or given.is_float()))
    )
    if not usual:
        return None
    try:
        if isinstance(given, pl.Datetime):
            column = column.dt.cast_time_unit("us")
        column = column.cast(kind)
    except pl.exceptions.PolarsError:
        return None
    if column.null_count() and not field.nullable:
        if field.required:
            return None
        column = column.fill_null(pl.Series([field.default], dtype=kind).first())
        if column.null_count():
            return None
    if field.symbols and not column.drop_nulls().is_in(field.symbols).all():
        return None
    return column
