"""Bytes are bytes: what analysts' tools are given of columns that are no text."""

from __future__ import annotations

import io
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import polars as pl
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.columnar.texts import labelled
from seamwatch.record_types import INPUT_TYPES
from tests.stack.clickhouse.conftest import Local

ROWS = """
SELECT unhex('C30106FF') AS raw, 'triage' AS key, 'Grüße' AS text, unhex('FFFE') AS odd,
    [('trace', unhex('00FF')::Nullable(String)), ('x', NULL)]::Array(Tuple(key String, value Nullable(String)))
        AS headers,
    [('reason', 'd')]::Array(Tuple(key String, value String)) AS attributes,
    toLowCardinality('model') AS few, toLowCardinality(NULL::Nullable(String)) AS none, ['a', 'ü'] AS many,
    map('k', 'v') AS pairs, toDate('2026-11-28') AS day, number AS n, NULL AS nothing
FROM numbers(3)
"""


@pytest.fixture(scope="module")
def recorded(local: Local) -> Iterator[Any]:
    """A connection of the auditor to a store with a record of each type, with bytes that are no UTF-8."""
    from sinks.store.client import Store
    from sinks.store.migrate import migrate

    name = f"b_{uuid.uuid4().hex[:10]}"
    writer = f"http://writer:{local.passwords['writer']}@{local.host}:{local.port}/{name}"
    migrate(writer)
    with Store(writer) as store:
        for table in INPUT_TYPES:
            store.command(
                f"INSERT INTO {table} (event_id, system, key, headers, raw, attributes) VALUES ('{uuid.uuid4()}',"
                " 'Grüße', unhex('FF00'), [('h', unhex('C328'))], unhex('C301FFFE'), [('k', 'v')])"
            )
        store.command("INSERT INTO dead_letter (topic, raw, reason) VALUES ('t', unhex('FFFF'), 'no Avro')")
    yield clickhouse_connect.get_client(
        host=local.host, port=local.port, username="auditor", password=local.passwords["auditor"], database=name
    )
    local.ask(f"DROP DATABASE {name}")


def ask(local: Local, output: str, sql: str = ROWS, **url: str) -> bytes:
    reply = local.ask(sql, "auditor", url={"default_format": output, **url})
    assert reply.status == 200, reply.text
    return reply.body


def test_arrow_has_bytes_as_binary_and_texts_as_text(local: Local) -> None:
    for output in ("ArrowStream", "Arrow"):
        body = ask(local, output)
        table = (pa.ipc.open_stream(body) if output == "ArrowStream" else pa.ipc.open_file(body)).read_all()
        table.validate(full=True)
        types = {field.name: str(field.type) for field in table.schema}
        assert (types["raw"], types["key"], types["odd"], types["text"]) == ("binary", "binary", "binary", "string")
        assert (types["few"], types["none"], types["many"]) == ("string", "string", "list<item: string not null>")
        assert table["headers"].type.value_type.field("value").type == pa.binary()
        assert table["headers"].type.value_type.field("key").type == pa.string()
        assert table["attributes"].type.value_type.field("value").type == pa.string()
        row = table.to_pylist()[0]
        assert (row["raw"], row["key"], row["text"]) == (b"\xc3\x01\x06\xff", b"triage", "Grüße")
        assert row["headers"] == [{"key": "trace", "value": b"\x00\xff"}, {"key": "x", "value": None}]
        assert row["pairs"] == [("k", "v")]


def test_parquet_and_orc_too(local: Local) -> None:
    sql = ROWS.replace(", NULL AS nothing", "")
    parquet = pyarrow.parquet.read_table(io.BytesIO(ask(local, "Parquet", sql)))
    orc = pyarrow.orc.read_table(io.BytesIO(ask(local, "ORC", sql)))
    for table in (parquet, orc):
        table.validate(full=True)
        assert (table["raw"].type, table["key"].type, table["text"].type) == (pa.binary(), pa.binary(), pa.string())
        assert table["odd"].to_pylist() == [b"\xff\xfe"] * 3
    assert pl.read_parquet(io.BytesIO(ask(local, "Parquet", sql)))["text"].to_list() == ["Grüße"] * 3


def test_who_says_how_strings_are_to_come_gets_them_so(local: Local) -> None:
    for wanted, kind in (("0", pa.binary()), ("1", pa.string())):
        body = ask(local, "ArrowStream", "SELECT 'a' AS text", output_format_arrow_string_as_string=wanted)
        assert pa.ipc.open_stream(body).schema.field("text").type == kind


def test_dictionaries_and_answers_without_a_row(local: Local) -> None:
    body = ask(local, "Arrow", f"{ROWS} LIMIT 0")
    assert pa.ipc.open_file(body).read_all().num_rows == 0
    sql = (
        "SELECT toLowCardinality(toString(number % 3)) AS few, toLowCardinality(char(255)) AS odd FROM numbers(200000)"
    )
    for output in ("ArrowStream", "Arrow"):
        body = ask(local, output, sql, output_format_arrow_low_cardinality_as_dictionary="1")
        table = (pa.ipc.open_stream(body) if output == "ArrowStream" else pa.ipc.open_file(body)).read_all()
        assert table["few"].type.value_type == pa.string()
        assert set(table["few"].to_pylist()) == {"0", "1", "2"}
        assert set(table["odd"].to_pylist()) == {b"\xff"}


TABLES = [*INPUT_TYPES, "dead_letter"]
SCRIPT = """
import sys, clickhouse_connect, polars as pl, pyarrow as pa
host, port, password, database = sys.argv[1:5]
place = {"host": host, "port": int(port), "database": database}
client = clickhouse_connect.get_client(username="auditor", password=password, **place)
for table in sys.argv[5:]:
    arrow = client.query_arrow(f"SELECT * FROM {table}")
    arrow.validate(full=True)
    frame = pl.from_arrow(arrow)
    # Polars writes no bytes as JSON, in lists neither.
    texts = pl.col(pl.Binary).bin.encode("base64")
    print(frame, frame.drop("headers").with_columns(texts).write_ndjson())
    frame = client.query_df_arrow(f"SELECT * FROM {table}", dataframe_library="polars")
    print(frame, frame.drop("headers").with_columns(texts).write_ndjson(), frame.write_parquet("/dev/null"))
    for frame in (client.query_df(f"SELECT * FROM {table}"), client.query_df_arrow(f"SELECT * FROM {table}")):
        print(frame.to_string(), frame["raw"].tolist())
    import io
    stream = client.raw_query(f"SELECT * FROM {table}", fmt="Parquet")
    print(pl.read_parquet(io.BytesIO(stream)))
"""


def test_an_analysts_process_outlives_every_column_of_every_table(recorded: Any, local: Local) -> None:
    # In a process of its own: what goes wrong here ends it.
    place = [local.host, str(local.port), local.passwords["auditor"], str(recorded.database)]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *place, *TABLES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("table", INPUT_TYPES)
def test_raw_key_and_headers_are_the_bytes_of_the_record(recorded: Any, table: str) -> None:
    arrow = recorded.query_arrow(f"SELECT * FROM {table}")
    for frame in (
        pl.from_arrow(arrow),
        pl.from_pandas(recorded.query_df_arrow(f"SELECT raw, key, headers FROM {table}")),
    ):
        assert isinstance(frame, pl.DataFrame)
        (row,) = frame.select("raw", "key", "headers").rows()
        assert row[:2] == (b"\xc3\x01\xff\xfe", b"\xff\x00")
        assert [dict(header) for header in row[2]] == [{"key": "h", "value": b"\xc3\x28"}]
    assert arrow.column("system").to_pylist() == ["Grüße"]
    # By ClickHouse's own protocol the client decides, and is to be told.
    told = recorded.query_df(f"SELECT raw, key FROM {table}", column_formats={"raw": "bytes", "key": "bytes"})
    assert (told["raw"][0], told["key"][0]) == (b"\xc3\x01\xff\xfe", b"\xff\x00")


VALUES = st.lists(st.one_of(st.none(), st.binary(max_size=6), st.text(max_size=4).map(str.encode)), max_size=6)


def is_text(values: list[bytes | None]) -> bool:
    try:
        return all(value is None or value.decode() is not None for value in values)
    except UnicodeDecodeError:
        return False


@given(VALUES, VALUES)
def test_a_column_is_text_exactly_when_every_value_of_it_is(
    first: list[bytes | None], second: list[bytes | None]
) -> None:
    nested = pa.list_(pa.struct([("inner", pa.binary())]))
    schema = pa.schema([("some", pa.binary()), ("nested", nested), ("raw", pa.binary())])

    def batch(values: list[bytes | None]) -> pa.RecordBatch:
        plain, inner = pa.array(values, pa.binary()), pa.array([[{"inner": value}] for value in values], nested)
        return pa.record_batch([plain, inner, plain], schema)

    after, made = labelled(schema, [batch(first), batch(second)])
    table = pa.Table.from_batches(made, after)
    table.validate(full=True)
    texts = is_text([*first, *second])
    assert after.field("raw").type == pa.binary()
    assert after.field("some").type == (pa.string() if texts else pa.binary())
    assert after.field("nested").type.value_type.field("inner").type == after.field("some").type
    wanted = [value.decode() if texts and value is not None else value for value in [*first, *second]]
    assert table["some"].to_pylist() == wanted
    assert [row[0]["inner"] for row in table["nested"].to_pylist()] == wanted
    assert table["raw"].to_pylist() == [*first, *second]
