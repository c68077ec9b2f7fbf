"""Contents: a hash of what each event says beside its id, to tell two events under one id from one that is sent twice.

Of messages as they lie on the wire, and of rows as they were read. The hashes of one are not those of the other, and
hold for one process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from seamwatch.wire.framing import CONFLUENT_HEADER, SINGLE_OBJECT_HEADER, SINGLE_OBJECT_MARKER

_ID_LENGTHS = {0x48: 36, 0x40: 32}
"""By the byte that says how long a text is: the lengths of a UUID, with its hyphens and without."""


def contents_of_values(values: Sequence[bytes | None], id_comes_first: Callable[[bytes], bool]) -> pl.Series:
    """A hash (UInt64) of each framed value, whatever its framing and however its id is spelt.

    ``id_comes_first`` tells of a header whether its writer's schema begins with the id, as ours do. Otherwise the id
    is hashed too. The same event by two writers' schemas is two contents.
    """
    column = pl.Series("value", values, dtype=pl.Binary)
    first = (values[0] or b"") if values else b""
    beginning = first[: _up_to_length(first)]
    if len(beginning) == _up_to_length(first) and column.bin.starts_with(beginning).all():
        return column.bin.slice(_skipped(beginning, id_comes_first)).hash(seed=0)
    single = column.bin.starts_with(SINGLE_OBJECT_MARKER)
    beginnings = column.bin.slice(0, CONFLUENT_HEADER + 1)
    beginnings = column.bin.slice(0, SINGLE_OBJECT_HEADER + 1).zip_with(single.fill_null(value=False), beginnings)
    skipped = {each: _skipped(each, id_comes_first) for each in beginnings.drop_nulls().unique().to_list()}
    at = beginnings.replace_strict(list(skipped), list(skipped.values()), default=0, return_dtype=pl.Int64)
    return column.to_frame().select(pl.col("value").bin.slice(at)).to_series().hash(seed=0)


def _up_to_length(value: bytes) -> int:
    """How many bytes there are up to the one that says how long the first text is, that one included."""
    return 1 + (SINGLE_OBJECT_HEADER if value[:2] == SINGLE_OBJECT_MARKER else CONFLUENT_HEADER)


def _skipped(beginning: bytes, id_comes_first: Callable[[bytes], bool]) -> int:
    header = _up_to_length(beginning) - 1
    length = _ID_LENGTHS.get(beginning[header]) if len(beginning) > header else None
    if length is None or not id_comes_first(beginning[:header]):
        return header
    return header + 1 + length


def contents_of_rows(frame: pl.DataFrame) -> pl.Series:
    """A hash of each row's columns but ``event_id`` and those that begin with ``__``; the columns must be the same."""
    columns = [name for name in frame.columns if name != "event_id" and not name.startswith("__")]
    return frame.select(sorted(columns)).hash_rows(seed=0)
