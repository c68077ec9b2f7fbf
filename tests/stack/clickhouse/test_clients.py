"""ClickHouse's own clients in other languages and manners work against the local server as against a real one."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import subprocess
import threading
import time
import urllib.parse
from dataclasses import replace
from pathlib import Path
from typing import Any

import clickhouse_connect
import polars as pl
import pytest

from seamwatch.settings import Settings
from stack.clickhouse.compressed import packed, unpacked
from stack.kafka.jars import user_cache
from stack.kafka.java import find_java
from tests.stack.clickhouse.conftest import Local
from tests.waiting import PATIENCE

JDBC = "com.clickhouse:clickhouse-jdbc:0.9.4"
SHELL = "sqlline:sqlline:1.12.0"
SLOW = "SELECT sum(cityHash64(number)) FROM numbers(100000000000)"


def jars(cache: Path, *coordinates: str) -> str:
    """The class path of these artifacts and what they need, fetched once into the cache."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext
    from jgo.parse import Endpoint

    remotes = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    context = MavenContext(repo_cache=cache / "jdbc", remote_repos=remotes, timeout=30)
    found: list[Path] = []
    for text in coordinates:
        roots = [
            context.create_dependency(replace(coordinate, scope="compile"))
            for coordinate in Endpoint.parse(text).coordinates
        ]
        direct, transitive = context.resolver.resolve(roots)
        needed = [*direct, *(each for each in transitive if each.scope in {"compile", "runtime"})]
        found += [Path(dependency.artifact.resolve()) for dependency in needed]
    return ":".join(map(str, found))


def test_the_java_client_reads_writes_and_is_refused(local: Local, settings: Settings, tmp_path: Path) -> None:
    statements = [
        "SELECT number, toString(number) AS s FROM numbers(3);",
        "CREATE OR REPLACE TABLE jdbc (a Int64, s String, x Nullable(Float64)) ENGINE = MergeTree ORDER BY a;",
        "INSERT INTO jdbc VALUES (1, 'ä''x', NULL), (2, 'b', 1.5);",
        "SELECT count() AS n, sum(a) AS total, max(s) AS last FROM jdbc;",
        "SELECT * FROM absent;",
    ]
    script = tmp_path / "statements.sql"
    script.write_text("\n".join(["!metadata getDatabaseProductVersion", *statements]))
    classes = jars(user_cache(settings.cache), JDBC, SHELL)

    def run(user: str) -> str:
        command = [str(find_java(settings.java)), "-cp", classes, "sqlline.SqlLine"]
        command += ["-d", "com.clickhouse.jdbc.ClickHouseDriver", "-n", user, "-p", local.passwords[user]]
        command += ["-u", f"jdbc:clickhouse://{local.host}:{local.port}/seamwatch", f"--run={script}"]
        command += ["--force=true", "--outputformat=csv", "--silent=true"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    written = run("writer")
    assert "'number','s'\n'0','0'\n'1','1'\n'2','2'\n" in written, written
    assert "'n','total','last'\n'2','3','ä''x'\n" in written
    assert "Error: Code: 60. DB::Exception" in written
    assert "server version" not in written  # asked for by `!metadata`, from the count of rows in the summary
    read = run("auditor")
    assert "'n','total','last'\n'2','3','ä''x'\n" in read, read
    assert read.count("ACCESS_DENIED") >= 2
    local.ask("DROP TABLE seamwatch.jdbc")


def test_the_asynchronous_client_asks_many_questions_at_once(local: Local) -> None:
    async def ask() -> list[int]:
        client = await clickhouse_connect.get_async_client(
            host=local.host, port=local.port, username="auditor", password=local.passwords["auditor"],
            database="seamwatch", compress=True, autogenerate_session_id=False,
        )  # fmt: skip
        try:
            answers = await asyncio.gather(
                *(client.query(f"SELECT sum(number) FROM numbers({count})") for count in range(1, 21))
            )
        finally:
            await client.close()
        return [answer.result_rows[0][0] for answer in answers]

    assert asyncio.run(ask()) == [count * (count - 1) // 2 for count in range(1, 21)]


def test_frames_of_pandas_and_polars_come_and_go(local: Local) -> None:
    client: Any = clickhouse_connect.get_client(
        host=local.host, port=local.port, username="writer", password=local.passwords["writer"], database="seamwatch"
    )
    client.command("CREATE OR REPLACE TABLE frames (a Int64, s String) ENGINE = MergeTree ORDER BY a")
    frame = client.query_df("SELECT number AS a, toString(number) AS s FROM numbers(1000)")
    client.insert_df("frames", frame.astype({"a": "int64"}))
    read = pl.from_arrow(client.query_arrow("SELECT * FROM frames ORDER BY a", use_strings=True))
    assert isinstance(read, pl.DataFrame)
    assert read.equals(pl.DataFrame({"a": range(1000), "s": [str(number) for number in range(1000)]}))
    client.command("DROP TABLE frames")
    client.close()


def test_a_dashboard_asks_by_url(local: Local) -> None:
    """As Grafana's HTTP data sources do: GET, basic authentication, JSON with its types, times as macros made them."""
    sql = (
        "SELECT toStartOfInterval(t, INTERVAL 60 second) AS time, count() AS value FROM"
        " (SELECT toDateTime('2026-03-01 00:00:00', 'UTC') + number * 30 AS t FROM numbers(6))"
        " WHERE t >= toDateTime(1772323200) AND t <= toDateTime(1772323320) GROUP BY time ORDER BY time FORMAT JSON"
    )
    secret = base64.b64encode(f"auditor:{local.passwords['auditor']}".encode()).decode()
    reply = local.ask(
        None, "auditor", headers={"Authorization": f"Basic {secret}"}, query=sql, add_http_cors_header="1",
        default_format="JSON", max_execution_time="30",
    )  # fmt: skip
    answer = json.loads(reply.body)
    assert reply.headers["content-type"].startswith("application/json")
    assert [column["name"] for column in answer["meta"]] == ["time", "value"]
    assert [int(row["value"]) for row in answer["data"]] == [2, 2, 1]
    assert answer["rows"] == 3


@pytest.mark.parametrize("user", ["writer", "auditor"])
def test_answers_and_bodies_come_in_compressed_blocks(local: Local, user: str) -> None:
    question = b"".join(packed(b"SELECT number FROM numbers(500000)"))
    reply = local.ask(question, user, compress="1", decompress="1")
    assert b"".join(unpacked([reply.body])) == b"".join(b"%d\n" % number for number in range(500_000))
    held = local.ask("SELECT 1 AS a FORMAT JSONCompact", user, compress="1")
    assert json.loads(b"".join(unpacked([held.body])))["data"] == [[1]]


def test_inserts_come_in_compressed_blocks(local: Local) -> None:
    local.ask("CREATE OR REPLACE TABLE seamwatch.blocks (a Int64) ENGINE = MergeTree ORDER BY a")
    rows = b"".join(b"%d\n" % number for number in range(300_000))
    reply = local.ask(
        b"".join(packed(rows)), query="INSERT INTO seamwatch.blocks FORMAT TSV", decompress="1", compress="1"
    )
    assert reply.status == 200
    assert local.ask("SELECT count(), sum(a) FROM seamwatch.blocks").text == f"300000\t{300_000 * 299_999 // 2}\n"
    broken = bytearray(b"".join(packed(b"7\n")))
    broken[-1] ^= 1
    refused = local.ask(bytes(broken), query="INSERT INTO seamwatch.blocks FORMAT TSV", decompress="1")
    assert (refused.status, refused.code) == (500, 40)
    local.ask("DROP TABLE seamwatch.blocks")


def running(local: Local, mark: str) -> int:
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    return int(local.ask(sql).text)


def wait_until(local: Local, mark: str, count: int, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while running(local, mark) != count:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("form", ["JSON", "TSV"])
@pytest.mark.parametrize("user", ["writer", "auditor"])
def test_a_query_without_an_answer_ends_with_its_client(local: Local, user: str, form: str) -> None:
    mark = f"{user}{form}gone"
    connection = http.client.HTTPConnection(local.host, local.port, timeout=PATIENCE)
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": local.passwords[user]}
    sql = f"SELECT '{mark}', sum(cityHash64(number)) FROM numbers(9999999999999) FORMAT {form}"
    connection.request("POST", "/", sql, headers)
    assert wait_until(local, mark, 1)
    connection.close()
    assert wait_until(local, mark, 0)


def ask_slowly(local: Local, user: str, query_id: str, codes: list[int | None]) -> threading.Thread:
    thread = threading.Thread(target=lambda: codes.append(local.ask(SLOW, user, query_id=query_id).code))
    thread.start()
    assert wait_until(local, "100000000000", 1)
    return thread


def test_a_query_is_killed_by_the_id_that_its_client_gave(local: Local) -> None:
    codes: list[int | None] = []
    thread = ask_slowly(local, "auditor", "it's mine", codes)
    taken = local.ask("SELECT 1", query_id="it's mine")
    assert taken.code == 216
    assert local.ask("KILL QUERY WHERE query_id = 'another'").text == ""
    reply = local.ask("KILL QUERY WHERE query_id = 'it''s mine' ASYNC", "auditor")
    thread.join(PATIENCE)
    assert reply.text.startswith("waiting\tit\\'s mine\tauditor")
    assert codes == [394]
    assert local.ask("SELECT 1", query_id="it's mine").text == "1\n"


def test_an_auditor_kills_nobody_elses_query(local: Local) -> None:
    codes: list[int | None] = []
    thread = ask_slowly(local, "writer", "theirs", codes)
    assert local.ask("KILL QUERY WHERE query_id = 'theirs'", "auditor").text == ""
    assert local.ask("KILL QUERY WHERE query_id = 'theirs' OR 1", "auditor").code == 497
    assert thread.is_alive()
    assert local.ask("KILL QUERY WHERE query_id = 'theirs'").text.startswith("waiting")
    thread.join(PATIENCE)
    assert codes == [394]


def test_a_statement_that_writes_goes_on_without_its_client(local: Local) -> None:
    local.ask("CREATE OR REPLACE TABLE seamwatch.goes_on (a UInt64) ENGINE = MergeTree ORDER BY a")
    connection = http.client.HTTPConnection(local.host, local.port, timeout=PATIENCE)
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": local.passwords["writer"]}
    body = "INSERT INTO seamwatch.goes_on SELECT number FROM numbers(3) WHERE sleepEachRow(0.2) = 0"
    connection.request("POST", "/?" + urllib.parse.urlencode({"query": body}), b"", headers)
    assert wait_until(local, "goes_on SELECT", 1)
    connection.close()
    assert wait_until(local, "goes_on SELECT", 0)
    assert local.ask("SELECT count() FROM seamwatch.goes_on").text == "3\n"
    local.ask("DROP TABLE seamwatch.goes_on")
