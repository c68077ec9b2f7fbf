"""The local server speaks ClickHouse's HTTP interface as its clients expect it."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import lz4.frame
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from stack.clickhouse.http_request import plain_chunks
from stack.clickhouse.refusals import Refusal
from tests.stack.clickhouse.conftest import Local, fetch
from tests.waiting import PATIENCE, wait_for


def client(local: Local, user: str = "writer", **more: Any) -> Any:
    return clickhouse_connect.get_client(
        host=local.host, port=local.port, username=user, password=local.passwords[user], database="seamwatch", **more
    )


@pytest.fixture
def table(local: Local) -> Iterator[str]:
    local.ask(
        "CREATE OR REPLACE TABLE seamwatch.t (a Int64, s String, x Nullable(Float64)) ENGINE = MergeTree ORDER BY a"
    )
    yield "seamwatch.t"
    local.ask("DROP TABLE seamwatch.t")


def test_the_ordinary_client_inserts_and_selects(local: Local, table: str) -> None:
    ours = client(local)
    ours.insert("t", [[1, "ä\x00\n", None], [2, "b", 0.5]], column_names=["a", "s", "x"])
    ours.insert_arrow("t", pa.table({"a": [3, 4], "s": ["c", "d"], "x": [1.5, 2.5]}))
    rows = ours.query("SELECT * FROM t ORDER BY a").result_rows
    assert rows == [(1, "ä\x00\n", None), (2, "b", 0.5), (3, "c", 1.5), (4, "d", 2.5)]
    assert ours.query_arrow("SELECT a FROM t ORDER BY a").column("a").to_pylist() == [1, 2, 3, 4]
    assert ours.command("SELECT count() FROM t") == 4
    assert ours.query("SELECT a FROM t WHERE s = {s:String}", parameters={"s": "b"}).result_rows == [(2,)]
    assert ours.query("SELECT * FROM t WHERE a > 100").result_rows == []
    with ours.query_row_block_stream("SELECT number FROM numbers(200000)") as stream:
        assert sum(len(block) for block in stream) == 200_000
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        ours.query("SELECT * FROM absent")
    ours.close()


@pytest.mark.parametrize("user", ["writer", "auditor"])
def test_no_answer_rests_on_what_another_query_found_no_match_in(local: Local, user: str) -> None:
    asked = "SELECT value FROM system.settings WHERE name = 'use_query_condition_cache'"
    assert local.ask(asked, user).text == "0\n"


def test_an_id_is_looked_up_in_a_small_table_too(local: Local) -> None:
    local.ask(
        "CREATE OR REPLACE TABLE seamwatch.p (id String, n UInt64, PROJECTION q (SELECT id, _part_offset ORDER BY id))"
        " ENGINE = MergeTree ORDER BY n SETTINGS index_granularity = 100"
    )
    local.ask("INSERT INTO seamwatch.p SELECT toString(sipHash64(number)), number FROM numbers(1000)")
    explained = local.ask(
        "EXPLAIN projections = 1 SELECT n FROM seamwatch.p WHERE id = toString(sipHash64(7::UInt64))"
    ).text
    assert "will be applied during reading" in explained
    local.ask("DROP TABLE seamwatch.p")


@pytest.mark.parametrize("compress", [False, True, "lz4", "zstd", "gzip"])
def test_the_ordinary_client_compresses(local: Local, table: str, compress: bool | str) -> None:
    ours = client(local, compress=compress)
    ours.insert("t", [[number, "x" * 50, None] for number in range(5000)], column_names=["a", "s", "x"])
    assert ours.query("SELECT count(), sum(a) FROM t").result_rows == [(5000, 12_497_500)]
    ours.close()


def test_the_ordinary_client_reads_as_auditor(local: Local, table: str) -> None:
    ours = client(local, "auditor")
    assert ours.query("SELECT 1 AS a, 'b' AS b").result_rows == [(1, "b")]
    assert ours.query_arrow("SELECT number FROM numbers(3)").num_rows == 3
    with pytest.raises(DatabaseError, match=r"ACCESS_DENIED|READONLY"):
        ours.insert("t", [[1, "", None]], column_names=["a", "s", "x"])
    with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
        ours.command("DROP TABLE t")
    ours.close()


def test_curl_queries(local: Local) -> None:
    url = f"http://auditor:{local.passwords['auditor']}@{local.host}:{local.port}/"
    done = subprocess.run(["curl", "-sS", url, "--data-binary", "SELECT 1"], capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_credentials_come_in_any_of_three_ways(local: Local) -> None:
    address, secret = f"http://{local.host}:{local.port}/?query=SELECT+1", local.passwords["auditor"]
    basic = base64.b64encode(f"auditor:{secret}".encode()).decode()
    for request in (
        urllib.request.Request(address, headers={"X-ClickHouse-User": "auditor", "X-ClickHouse-Key": secret}),
        urllib.request.Request(address, headers={"Authorization": f"Basic {basic}"}),
        urllib.request.Request(f"{address}&user=auditor&password={secret}"),
    ):
        assert fetch(request).body == b"1\n"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, 194),
        ({"X-ClickHouse-User": "writer", "X-ClickHouse-Key": "guess"}, 403, 516),
        ({"X-ClickHouse-User": "default"}, 403, 516),
        ({"Authorization": "Basic !"}, 403, 516),
    ],
)
def test_nobody_else_is_let_in(local: Local, headers: dict[str, str], status: int, code: int) -> None:
    reply = fetch(urllib.request.Request(f"http://{local.host}:{local.port}/?query=SELECT+1", headers=headers))
    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM absent", 404, 60),
        ("SELECT absent", 404, 47),
        ("SELEC 1", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("", 400, 62),
        ("SELECT absent()", 404, 46),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT 1 FORMAT Absent", 404, 73),
        ("INSERT INTO absent FORMAT TSV\n1", 404, 60),
        ("SELECT sum(cityHash64(number)) FROM numbers(100000000000) SETTINGS max_execution_time = 1", 408, 159),
    ],
)
def test_errors_are_those_of_clickhouse(local: Local, sql: str, status: int, code: int) -> None:
    reply = local.ask(sql)
    assert (reply.status, reply.code) == (status, code), reply.text
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")


def test_the_query_may_be_in_the_url_and_the_data_in_the_body(local: Local, table: str) -> None:
    reply = local.ask(b"1\tx\\\ty\t\\N\n", query="INSERT INTO seamwatch.t FORMAT TSV")
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "1"
    assert local.ask(None, query="SELECT count() FROM seamwatch.t").text == "1\n"
    assert local.ask("FROM seamwatch.t", query="SELECT max(a)").text == "1\n"


def test_get_reads_only(local: Local, table: str) -> None:
    assert local.ask(None, query="TRUNCATE TABLE seamwatch.t").code == 164


def test_data_of_an_insert_are_bytes_and_not_text(local: Local, table: str) -> None:
    raw = bytes(range(256))
    row = (7).to_bytes(8, "little") + b"\x80\x02" + raw + b"\x01"
    local.ask(b"INSERT INTO seamwatch.t FORMAT RowBinary\n" + row)
    assert local.ask("SELECT s FROM seamwatch.t FORMAT RowBinary").body == b"\x80\x02" + raw


def test_a_statement_and_its_data_may_come_in_small_pieces(local: Local, table: str) -> None:
    body = b"INSERT INTO seamwatch.t (a, s) FORMAT TSV\n" + b"".join(b"%d\tv\n" % number for number in range(300))
    sent = iter([body[start : start + 7] for start in range(0, len(body), 7)])
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": local.passwords["writer"]}
    request = urllib.request.Request(f"http://{local.host}:{local.port}/", sent, headers, method="POST")
    assert fetch(request).status == 200
    assert local.ask("SELECT count() FROM seamwatch.t").text == "300\n"


def test_an_insert_that_fails_leaves_nothing(local: Local, table: str) -> None:
    reply = local.ask(b"INSERT INTO seamwatch.t (a, s) FORMAT TSV\n1\ta\nx\tb\n")
    assert (reply.status, reply.code) == (400, 27)
    assert local.ask("SELECT count() FROM seamwatch.t").text == "0\n"


@pytest.mark.parametrize(
    ("setting", "code"),
    [("min_free_disk_bytes_to_perform_insert = 1000000000000000", 243), ("max_parts_in_total = 1", 252)],
)
def test_an_insert_that_the_table_has_no_room_for_is_refused(local: Local, table: str, setting: str, code: int) -> None:
    insert = b"INSERT INTO seamwatch.t (a, s) SETTINGS max_insert_threads = 1 FORMAT TSV\n1\ta\n"
    assert local.ask(insert).status == 200
    local.ask(f"ALTER TABLE seamwatch.t MODIFY SETTING {setting}")
    assert local.ask(insert).code == code
    assert local.ask("SELECT count() FROM seamwatch.t").text == "1\n"


def test_values_with_expressions_are_inserted(local: Local, table: str) -> None:
    assert local.ask("INSERT INTO seamwatch.t (a, s) VALUES (1 + 1, 'it''s; VALUES'), (3, lower('X'))").status == 200
    assert local.ask("SELECT s FROM seamwatch.t ORDER BY a FORMAT TSVRaw").text == "it's; VALUES\nx\n"


def test_a_repeated_insert_with_a_token_is_stored_once(local: Local) -> None:
    local.ask(
        "CREATE OR REPLACE TABLE seamwatch.once (a Int64) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    for token in ("one", "one", "two"):
        local.ask(b"INSERT INTO seamwatch.once FORMAT TSV\n5\n", insert_deduplication_token=token)
    assert local.ask("SELECT count() FROM seamwatch.once").text == "2\n"


def test_settings_parameters_and_formats_come_by_url(local: Local) -> None:
    reply = local.ask(
        "SELECT {n:UInt64} AS n, currentDatabase() AS d",
        database="seamwatch",
        param_n="9007199254740993",
        default_format="JSONEachRow",
        output_format_json_quote_64bit_integers="1",
        query_id="mine",
    )
    assert reply.text == '{"n":"9007199254740993","d":"seamwatch"}\n'
    assert reply.headers["x-clickhouse-format"] == "JSONEachRow"
    assert reply.headers["x-clickhouse-query-id"] == "mine"
    assert local.ask("SELECT 1", absent_setting="1").code == 115
    assert local.ask("SELECT 1", database="absent").code == 81


def test_parameters_that_are_too_long_for_a_url_come_in_a_form(local: Local) -> None:
    ids = [f"id-{number:05}-it's\t\n\r\n\\ü" for number in range(2_000)]
    for user in ("writer", "auditor"):
        ours = client(local, user=user)
        found = ours.query("SELECT arrayJoin({ids:Array(String)}) AS id ORDER BY id", {"ids": ids}).result_rows
        assert found == [(each,) for each in sorted(ids)]
        ours.close()
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    field = b'--b\r\nContent-Disposition: form-data; name="external"\r\n\r\n1\r\n--b--\r\n'
    assert local.ask(field, headers=form, query="SELECT 1").code == 48


def test_sessions_see_nothing_of_each_other(local: Local) -> None:
    local.ask("SELECT 1", max_block_size="777", database="seamwatch")
    assert local.ask("SELECT getSetting('max_block_size') = 777, currentDatabase()").text == "0\tdefault\n"


def test_an_error_in_the_middle_is_no_whole_answer(local: Local) -> None:
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": local.passwords["writer"]}
    sql = b"SELECT throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_threads = 1"
    with pytest.raises(Exception, match=r"(?i)incomplete"):
        fetch(urllib.request.Request(f"http://{local.host}:{local.port}/", sql, headers))
    ours = client(local)
    with pytest.raises(DatabaseError, match="throwIf"):
        _ = ours.query(sql.decode()).result_rows  # read as it is asked for
    ours.close()


def test_queries_run_while_another_is_slow_and_inserts_arrive(local: Local, table: str) -> None:
    slow = threading.Thread(
        target=local.ask,
        args=("SELECT sum(cityHash64(number)) FROM numbers(100000000000) SETTINGS max_execution_time = 5",),
    )
    slow.start()
    started = time.monotonic()
    for number in range(10):
        local.ask(f"INSERT INTO seamwatch.t (a) VALUES ({number})")
        assert local.ask("SELECT count() FROM seamwatch.t").text == f"{number + 1}\n"
    assert slow.is_alive(), time.monotonic() - started
    slow.join()


def test_a_client_that_goes_away_leaves_no_query(local: Local) -> None:
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": local.passwords["writer"]}
    sql = b"SELECT number FROM numbers(100000000000)"
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{local.host}:{local.port}/", sql, headers), timeout=PATIENCE
    ) as answer:
        answer.read(1000)
    running = "SELECT count() FROM system.processes WHERE query LIKE '%100000000000%' AND query NOT LIKE '%processes%'"
    wait_for(lambda: local.ask(running).text == "0\n", "the end of the query")


def test_a_held_answer_is_bounded(local: Local) -> None:
    reply = local.ask("SELECT randomPrintableASCII(4000) FROM numbers(1000000) FORMAT JSON")
    assert reply.code == 396


def test_ping_needs_no_user(local: Local) -> None:
    assert fetch(urllib.request.Request(f"http://{local.host}:{local.port}/ping")).body == b"Ok.\n"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("lz4", lz4.frame.compress), ("", bytes)],
)
def test_bodies_are_unpacked_in_pieces_and_in_several_frames(encoding: str, pack: Any) -> None:
    packed = pack(b"one,") + pack(b"two")
    pieces = [packed[start : start + 3] for start in range(0, len(packed), 3)]
    assert b"".join(plain_chunks(pieces, encoding)) == b"one,two"


@pytest.mark.parametrize("encoding", ["gzip", "lz4", "zstd", "br"])
def test_bodies_that_are_not_what_they_say_are_refused(encoding: str) -> None:
    with pytest.raises(Refusal):
        list(plain_chunks([b"not packed at all"], encoding))


def test_a_packed_body_that_ends_too_early_is_refused() -> None:
    with pytest.raises(Refusal, match="ends in the middle"):
        list(plain_chunks([gzip.compress(b"x" * 1000)[:-9]], "gzip"))
