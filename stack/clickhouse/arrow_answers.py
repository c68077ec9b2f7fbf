"""Answers of the local ClickHouse server in Arrow, Parquet and ORC: bytes go out as bytes, and texts as texts.

The engine writes either all of its strings as text or all of them as bytes. Here they are asked for as bytes, and
`seamwatch.columnar.texts` says which are texts. A client that says itself how it wants strings gets them so.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

_SETTING: Final = {
    "Arrow": "output_format_arrow_string_as_string",
    "ArrowStream": "output_format_arrow_string_as_string",
    "Parquet": "output_format_parquet_string_as_string",
    "ORC": "output_format_orc_string_as_string",
}


def asked_as_bytes(output: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The setting that has an answer of this format come with strings as bytes; none where it is not to be changed."""
    name = _SETTING.get(output)
    return {} if name is None or name in settings else {name: "0"}


def with_texts(answer: bytes, output: str) -> bytes:
    """An answer of one of these formats, whose strings are bytes, with texts as texts."""
    import pyarrow as pa

    from seamwatch.columnar.texts import labelled

    if not answer:
        return answer
    into = io.BytesIO()
    if output in {"Arrow", "ArrowStream"}:
        reader = pa.ipc.open_stream(answer) if output == "ArrowStream" else pa.ipc.open_file(answer)
        batches = (
            list(reader)
            if output == "ArrowStream"
            else [reader.get_batch(number) for number in range(reader.num_record_batches)]
        )
        schema, made = labelled(reader.schema, batches)
        make = pa.ipc.new_stream if output == "ArrowStream" else pa.ipc.new_file
        # A file has one dictionary a column.
        with make(into, schema, options=pa.ipc.IpcWriteOptions(unify_dictionaries=output == "Arrow")) as writer:
            for batch in made:
                writer.write_batch(batch)
        return into.getvalue()
    table = _read(answer, output)
    schema, made = labelled(table.schema, table.to_batches())
    _write(pa.Table.from_batches(made, schema), into, output)
    return into.getvalue()


def _read(answer: bytes, output: str) -> Any:
    if output == "Parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(io.BytesIO(answer))
    import pyarrow.orc

    return pyarrow.orc.read_table(io.BytesIO(answer))


def _write(table: Any, into: io.BytesIO, output: str) -> None:
    if output == "Parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(table, into, compression="zstd")
    else:
        import pyarrow.orc

        pyarrow.orc.write_table(table, into, compression="zstd")
