"""Where statements end, what format they name, where the data of an insert begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.clickhouse.statement import InsertHead, first_keyword, insert_head, output_format, trailing_statement


@pytest.mark.parametrize(
    ("sql", "head"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", InsertHead("INSERT INTO t", "", "Native", 28)),
        (
            b"insert into t (a, b) settings x=1 format TSV\r\n1",
            InsertHead("insert into t (a, b)", "settings x=1", "TSV", 46),
        ),
        (b"INSERT INTO t (format) FORMAT CSV 1", InsertHead("INSERT INTO t (format)", "", "CSV", 34)),
        (b"INSERT INTO format FORMAT CSV\n1", InsertHead("INSERT INTO format", "", "CSV", 30)),
        (b"INSERT INTO t VALUES (1),(2)", InsertHead("INSERT INTO t", "", "Values", 20)),
        (
            b"/* FORMAT x */ INSERT INTO t -- y\n FORMAT CSV\n1",
            InsertHead("/* FORMAT x */ INSERT INTO t -- y", "", "CSV", 46),
        ),
        (
            b"INSERT INTO FUNCTION null('FORMAT y') FORMAT CSV\n1",
            InsertHead("INSERT INTO FUNCTION null('FORMAT y')", "", "CSV", 49),
        ),
        (b"INSERT INTO t SELECT 1 FORMAT CSV", None),
        (b"INSERT INTO t (a) WITH 1 AS x SELECT x", None),
        (b"INSERT INTO t", None),
        (b"SELECT 1 FORMAT CSV", None),
    ],
)
def test_data_of_an_insert_begin_after_its_format(sql: bytes, head: InsertHead | None) -> None:
    assert insert_head(sql) == head


@given(st.binary())
def test_data_are_left_as_they_are(data: bytes) -> None:
    sql = b"INSERT INTO t FORMAT Native\n" + data
    head = insert_head(sql)
    assert head is not None
    assert sql[head.data_start :] == data


@pytest.mark.parametrize(
    ("sql", "more"),
    [
        (b"SELECT 1;", None),
        (b"SELECT 1;; -- nothing\n ;", None),
        (b"SELECT ';' /* ; */", None),
        (b"SELECT `;`, \";\", 'a\\'; b', 'a''; b'", None),
        (b"SELECT 1; DROP TABLE t", "DROP TABLE t"),
        (b"SELECT $x$ ; $x$; SELECT 2", "SELECT 2"),
    ],
)
def test_a_second_statement_is_seen(sql: bytes, more: str | None) -> None:
    assert trailing_statement(sql) == more


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (b"SELECT 1", None),
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 format JSONEachRow settings a = 1;", "JSONEachRow"),
        (b"SELECT ' FORMAT JSON'", None),
        (b"SELECT * FROM (SELECT format('x')) FORMAT -- really\n TSV", "TSV"),
    ],
)
def test_the_format_is_the_last_one_outside_brackets(sql: bytes, name: str | None) -> None:
    assert output_format(sql) == name


def test_the_first_keyword_is_found_behind_comments_and_brackets() -> None:
    assert first_keyword(b" -- a\n /* b */ ((select 1))") == "SELECT"
    assert first_keyword(b"") == ""
