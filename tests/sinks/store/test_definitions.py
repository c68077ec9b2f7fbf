"""What the statements of the migrations come to, followed from their text, on one server and on a cluster."""

from __future__ import annotations

import pytest

from seamwatch.errors import StoreError
from sinks.store.cluster import Cluster
from sinks.store.ddl import Column, Table, View, follow, read_table, text_of, tokens
from sinks.store.migrate import everything

FIRST = (
    "CREATE TABLE IF NOT EXISTS t (`a` String, `b` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), "
    "`c` Array(Tuple(k String,\n v String)) DEFAULT [('x, y)', '')], INDEX by_a a TYPE bloom_filter(0.01) "
    "GRANULARITY 4, "
    "PROJECTION p (SELECT a, count() GROUP BY a) WITH SETTINGS (index_granularity = 256)) "
    "ENGINE = MergeTree PARTITION BY toYYYYMM(b) ORDER BY (a, b) SETTINGS x = 1, y = 'z'"
)
STEPS = (
    FIRST,
    "ALTER TABLE t (ADD COLUMN IF NOT EXISTS `d` UInt64 AFTER b), (DROP INDEX IF EXISTS by_a)",
    "ALTER TABLE t ADD INDEX by_d d TYPE minmax GRANULARITY 1 AFTER by_a",
    "ALTER TABLE t (MODIFY COLUMN `a` LowCardinality(String)), (RENAME COLUMN `c` TO `e`), (MODIFY SETTING y = 'w')",
    "ALTER TABLE t (DROP PROJECTION p), (MATERIALIZE INDEX by_d), (MODIFY TTL b + toIntervalDay(1))",
    "CREATE OR REPLACE VIEW v AS SELECT a FROM t",
    "CREATE OR REPLACE VIEW v AS SELECT a, 't' AS name FROM t WHERE a != 'own.t'",
    "CREATE OR REPLACE VIEW gone AS SELECT 1",
    "DROP VIEW IF EXISTS gone",
)


def test_statements_are_followed_to_what_they_make() -> None:
    made = follow(STEPS, "own")
    query = "SELECT a, 't' AS name FROM t WHERE a != 'own.t'"
    assert made == {
        "t": Table(
            {
                "a": Column("LowCardinality(String)"),
                "b": Column("DateTime64(6, 'UTC')", "", "CODEC(Delta, ZSTD(1))"),
                "e": Column("Array(Tuple(k String, v String))", "DEFAULT [('x, y)', '')]"),
                "d": Column("UInt64"),
            },
            {"INDEX by_d": "d TYPE minmax GRANULARITY 1"},
            {
                "ENGINE": "MergeTree",
                "PARTITION BY": "toYYYYMM(b)",
                "ORDER BY": "(a, b)",
                "TTL": "b + toIntervalDay(1)",
            },
            {"x": "1", "y": "'w'"},
        ),
        "v": View(tuple(tokens(query, "own")), query),
    }


def test_a_table_is_read_from_what_a_store_shows_of_it() -> None:
    shown = (
        FIRST.replace("IF NOT EXISTS t", "own.t")
        .replace("Delta,", "Delta(8),")
        .replace("y = 'z'", "y = 'z' COMMENT 'of mine'")
    )
    assert read_table(shown, "own") == follow([FIRST], "own")["t"]
    commented = shown.replace("`a` String", "`a` String COMMENT 'CODEC(NONE), `z` Int8'")
    assert read_table(commented, "own") == follow([FIRST], "own")["t"]
    for other in (
        "CREATE VIEW own.t AS SELECT 1",
        "",
        "CREATE TABLE own.t AS numbers(1)",
        "CREATE DICTIONARY own.t (a Int8)",
    ):
        assert read_table(other, "own") is None


def test_only_the_name_of_the_database_before_a_table_is_left_out() -> None:
    assert text_of(tokens("SELECT own.t.a, 'own.t', x.own.y FROM own.t AS own", "own")) == (
        "SELECT t.a, 'own.t', x.own.y FROM t AS own"
    )
    assert tokens("SELECT `own`.`t` -- x", "own")[:2] == ["SELECT", "`t`"]


@pytest.mark.parametrize(
    "statement",
    [
        "OPTIMIZE TABLE t",
        "ALTER TABLE t (FREEZE)",
        "ALTER TABLE other (DROP COLUMN a)",
        "CREATE OR REPLACE VIEW v (a Int8) AS SELECT 1",
    ],
)
def test_a_statement_that_nobody_can_follow_is_an_error_and_not_left_out(statement: str) -> None:
    with pytest.raises(StoreError, match="cannot be followed"):
        follow([FIRST, statement], "own")


def test_on_a_cluster_every_share_and_what_is_asked_is_made() -> None:
    cluster = Cluster("prod", "own")
    alone, made = follow(everything("own"), "own"), follow(everything("own", cluster), "own")
    assert {name.removeprefix("own_local.") for name in made} == set(alone)
    for name, table in alone.items():
        if isinstance(table, Table):
            asked, held = made[name], made.get(f"own_local.{name}", made[name])
            assert isinstance(asked, Table)
            assert isinstance(held, Table)
            assert (asked.columns, held.columns, held.parts) == (table.columns, table.columns, table.parts)
            assert held.engine == f"Replicated{table.engine}"
            assert asked.engine == ("Distributed" if asked is not held else held.engine)
