"""Answers in Arrow as polars frames, their texts as texts or to the byte. Asks no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import polars as pl


def with_texts(stream: bytes) -> pl.DataFrame:
    """An Arrow stream as a frame, with texts as texts where the store's profile has them all come as bytes."""
    import pyarrow as pa

    from seamwatch.columnar.texts import labelled

    reader = pa.ipc.open_stream(stream)
    schema, batches = labelled(reader.schema, list(reader))
    return cast("pl.DataFrame", pl.from_arrow(pa.Table.from_batches(batches, schema)))


def with_binary(stream: bytes) -> pl.DataFrame:
    """An Arrow stream whose texts are taken for bytes; a read-only user may not ask the store itself for that."""
    return _frame_of_bytes(*read_batches(stream))


def read_batches(stream: bytes) -> tuple[Any, list[Any]]:
    """The schema and the batches of an Arrow stream; views of it but for their dictionaries."""
    import pyarrow as pa

    reader = pa.ipc.open_stream(stream)
    return reader.schema, list(reader)


def binary_frames(schema: Any, every: Sequence[Any], rows: int) -> Iterator[pl.DataFrame]:
    """Batches whose texts are taken for bytes, in frames of at least so many rows but for the last."""
    batches: list[Any] = []
    count = 0
    for batch in every:
        batches.append(batch)
        count += batch.num_rows
        if count >= rows:
            yield _frame_of_bytes(schema, batches)
            batches, count = [], 0
    if count:
        yield _frame_of_bytes(schema, batches)


def _frame_of_bytes(schema: Any, batches: Sequence[Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [_series(field, [batch.column(index) for batch in batches]) for index, field in enumerate(schema)]
    )


def _series(field: Any, chunks: Sequence[Any]) -> pl.Series:
    import pyarrow as pa

    if pa.types.is_dictionary(field.type) and chunks:
        return pl.concat([_texts(field.name, chunk) for chunk in chunks])
    kind = _binary(field.type)
    return pl.Series(field.name, pa.chunked_array([chunk.view(kind) for chunk in chunks], kind))


def _texts(name: str, chunk: Any) -> pl.Series:
    """The texts of a dictionary column, one a row."""
    import pyarrow as pa

    texts, rows = pl.Series(name, chunk.dictionary.view(pa.binary())), pl.Series(chunk.indices)
    # Rows that are sorted by system mostly have one text in all of a batch.
    if (least := rows.min()) == rows.max() and rows.null_count() in (0, len(rows)):
        return texts.clear(len(rows)) if least is None else texts.new_from_index(cast("int", least), len(rows))
    return texts[rows]


def _binary(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        return pa.binary()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_binary(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([kind.field(i).with_type(_binary(kind.field(i).type)) for i in range(kind.num_fields)])
    return kind
