"""Sizes in bulk: the rows of a frame that would take more bytes on the wire than an event may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from seamwatch.errors import OutOfBounds
from seamwatch.wire.codec import demand_size
from seamwatch.wire.framing import MAXIMUM_VALUE_BYTES

_OF_A_FIELD = 16
"""More bytes than a number takes, or what says how long a text or a list is."""


def too_large_rows(record_type: str, frame: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Index and reason, in the codec's words, of each row of whole records that is too large.

    A frame whose longest texts together are no more than a row may have costs next to nothing.
    """
    if sum(map(_longest, frame)) <= MAXIMUM_VALUE_BYTES:
        return
    sizes = frame.select(pl.sum_horizontal(map(_size, frame))).to_series()
    for row in (sizes > MAXIMUM_VALUE_BYTES).arg_true():
        try:
            demand_size(record_type, frame.row(row, named=True))
        except OutOfBounds as error:
            yield row, str(error)


def _longest(column: pl.Series) -> int:
    """No less than what a column takes in any row."""
    if column.dtype == pl.String:
        return _of_series(column.str.len_bytes()) + _OF_A_FIELD
    if not isinstance(column.dtype, pl.List) or not (items := _of_series(column.list.len())):
        return _OF_A_FIELD
    texts = _texts(column.drop_nulls().list.explode(empty_as_null=False))
    return items * sum(_of_series(text.str.len_bytes()) + 2 * _OF_A_FIELD for text in texts) + _OF_A_FIELD


def _size(column: pl.Series) -> pl.Series:
    """For each row no less than what a column takes in it."""
    if column.dtype == pl.String:
        sizes = column.str.len_bytes()
    elif isinstance(column.dtype, pl.List):
        # Few frames come here, and few of their rows have lists.
        sizes = pl.Series(column.name, [_of_items(items or ()) for items in column.to_list()], dtype=pl.UInt32)
    else:
        return pl.repeat(_OF_A_FIELD, len(column), dtype=pl.UInt32, eager=True).alias(column.name)
    return sizes.fill_null(0) + _OF_A_FIELD


def _of_items(items: Sequence[object]) -> int:
    members = [item.values() if isinstance(item, dict) else (item,) for item in items]
    return sum(
        (len(value.encode()) if isinstance(value, str) else 0) + 2 * _OF_A_FIELD for each in members for value in each
    )


def _texts(items: pl.Series) -> list[pl.Series]:
    if isinstance(items.dtype, pl.Struct):
        fields = [items.struct.field(field.name) for field in items.dtype.fields]
        return [field if field.dtype == pl.String else field.cast(pl.String) for field in fields]
    return [items.cast(pl.String)]


def _of_series(numbers: pl.Series) -> int:
    most = numbers.max()
    return most if isinstance(most, int) else 0
