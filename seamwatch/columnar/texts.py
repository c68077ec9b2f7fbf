"""Texts and bytes in Arrow answers of the decision store: what is no text must not pass for one.

ClickHouse has one type for both, so that its Arrow has no way to tell them apart. A frame that takes bytes for UTF-8 is
undefined: polars ends the process that prints it. Here a column is binary where the record keeps bytes (`raw`, `key`,
values of `headers`, hashes), and wherever its values are no UTF-8; every other column of bytes is text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow as pa

BYTES: Final = frozenset({"raw", "key", "headers.value", "hashes", "root", "frontier"})
"""Paths of what the store's own tables keep as bytes."""


def labelled(schema: pa.Schema, batches: Sequence[pa.RecordBatch]) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """The same batches, each column of bytes that holds nothing but texts as text.

    The whole of an answer decides, so that a column has one type in all of its batches. Values are not copied.
    """
    columns = [_column(field, [batch.column(index) for batch in batches]) for index, field in enumerate(schema)]
    after = pa.schema([field for field, _ in columns], schema.metadata)
    return after, [
        pa.RecordBatch.from_arrays([chunks[number] for _, chunks in columns], schema=after)
        for number in range(len(batches))
    ]


def _column(field: pa.Field, chunks: list[pa.Array]) -> tuple[pa.Field, list[pa.Array]]:
    kind = _kind(field.type, chunks, field.name)
    if kind.equals(field.type):
        return field, chunks
    if pa.types.is_dictionary(kind):
        made = [
            pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(kind.value_type, safe=False))
            for chunk in chunks
        ]
        return field.with_type(kind), made
    return field.with_type(kind), [chunk.cast(kind, safe=False) for chunk in chunks]


def _kind(kind: pa.DataType, chunks: Sequence[pa.Array], path: str) -> pa.DataType:
    """What a type becomes, by all values that there are of it."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text = pa.string() if pa.types.is_binary(kind) else pa.large_string()
        return kind if path in BYTES or not _are_texts(chunks, text) else text
    if pa.types.is_dictionary(kind):
        value = _kind(kind.value_type, [chunk.dictionary for chunk in chunks], path)
        return pa.dictionary(kind.index_type, value, kind.ordered)
    if pa.types.is_map(kind):
        key = _kind(kind.key_type, [chunk.keys for chunk in chunks], f"{path}.keys")
        item = _kind(kind.item_type, [chunk.items for chunk in chunks], f"{path}.values")
        return pa.map_(kind.key_field.with_type(key), kind.item_field.with_type(item))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        # The values of a slice may be those of the whole array: then more is looked at, and nothing less.
        value = kind.value_field.with_type(_kind(kind.value_type, [chunk.values for chunk in chunks], path))
        return pa.list_(value) if pa.types.is_list(kind) else pa.large_list(value)
    if pa.types.is_struct(kind):
        members = [kind.field(index) for index in range(kind.num_fields)]
        return pa.struct(
            [
                member.with_type(_kind(member.type, [chunk.field(index) for chunk in chunks], f"{path}.{member.name}"))
                for index, member in enumerate(members)
            ]
        )
    return kind


def _are_texts(chunks: Iterable[pa.Array], text: Any) -> bool:
    try:
        for chunk in chunks:
            chunk.view(text).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
