"""A store of any earlier version becomes what a new one is; what it holds comes through unchanged, and answers."""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from sinks.store.client import Store
from sinks.store.migrate import Migration, beginning, ddl, is_ready, migrate, migrations
from sinks.store.positions import positions
from sinks.store.shipped import shipped_views

ROWS = 3
ALWAYS = {"inference", "ledger_commit"}


def _touched(version: int) -> set[str]:
    """The tables that this version makes, and those that the next one changes."""
    own, following = migrations()[version - 1].statements, migrations()[version].statements
    made = re.findall(r"^CREATE TABLE IF NOT EXISTS (\w+)", "\n".join(own), re.MULTILINE)
    return {*ALWAYS, *made, *re.findall(r"^ALTER TABLE (\w+)", "\n".join(following), re.MULTILINE)}


def _fill(store: Store, version: int) -> list[str]:
    """Put rows of random values into tables as this version has them; the questions that sum up just these rows.

    The first text of each row is marked, so that rows of other versions are told apart.
    """
    tables = store.rows(
        "SELECT table, groupArray((name, type)) AS columns FROM "
        "(SELECT * FROM system.columns WHERE database = currentDatabase() ORDER BY table, position) "
        f"WHERE table IN ({', '.join(repr(table) for table in _touched(version))}) GROUP BY table ORDER BY table"
    )
    questions = []
    for row in tables:
        table, columns = row["table"], row["columns"]
        structure = ", ".join(f"`{name}` {kind}" for name, kind in columns).replace("'", "\\'")
        marked = next(name for name, kind in columns if kind in ("LowCardinality(String)", "String"))
        source = f"generateRandom('{structure}', {version}, 8, 2)"
        store.command(
            f"INSERT INTO {table} SELECT * REPLACE('written at {version}' AS `{marked}`) FROM {source} LIMIT {ROWS}"
        )
        names = ", ".join(f"`{name}`" for name, _ in columns)
        questions.append(
            f"SELECT '{table} at {version}' AS question, count() AS rows_there, sum(cityHash64({names})) AS summed "
            f"FROM {table} WHERE `{marked}` = 'written at {version}'"
        )
    return questions


def _sums(store: Store, questions: list[str]) -> dict[str, tuple[int, int]]:
    rows = store.rows(" UNION ALL ".join(questions))
    return {row["question"]: (row["rows_there"], row["summed"]) for row in rows}


def _take(store: Store, step: Migration) -> None:
    for statement in step.statements:
        store.command(statement)
    store.command(
        f"INSERT INTO migration (number, name, digest) VALUES ({step.number}, '{step.name}', '{step.digest}')"
    )


def _shape(store: Store) -> list[dict[str, Any]]:
    """All that the store shows of its tables, views and columns, whatever its database is named."""
    here = "database = currentDatabase()"
    tables = store.rows(
        "SELECT name, engine, replaceAll(create_table_query, concat(database, '.'), '') AS made, sorting_key, "
        f"partition_key FROM system.tables WHERE {here} ORDER BY name"
    )
    columns = store.rows(
        "SELECT table, name, type, position, default_kind, default_expression, compression_codec FROM system.columns "
        f"WHERE {here} ORDER BY table, position"
    )
    return [*tables, *columns]


class KilledError(Exception):
    """The process is dead."""


def _killed(url: str, at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Have a migration that ends before its statement of this number, if it has so many."""
    done = 0

    def sent(statement: str) -> None:
        nonlocal done
        if done == at:
            raise KilledError(statement)
        done += 1

    command, insert = Store.command, Store.insert

    def instead_of_command(self: Store, sql: str) -> None:
        sent(sql)
        command(self, sql)

    def instead_of_insert(self: Store, *arguments: Any) -> None:
        sent(f"INSERT INTO {arguments[0]}")
        insert(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "command", instead_of_command)
        patched.setattr(Store, "insert", instead_of_insert)
        try:
            migrate(url)
        except KilledError:
            return True
    return False


def test_a_store_of_every_earlier_version_becomes_what_a_new_one_is(
    clickhouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"m_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    # Before views were files, a store had a list of its steps alone, and the steps made the views.
    database, table_of_steps, _ = beginning(name, None)
    with Store(url, database="default") as store:
        store.command(database)
    questions: list[str] = []
    before: dict[str, tuple[int, int]] = {}
    with Store(url) as store:
        store.command(table_of_steps)
        for version in range(1, len(migrations())):
            _take(store, migrations()[version - 1])
            made = _fill(store, version)
            before |= _sums(store, made)
            questions += made
    assert {count for count, _ in before.values()} == {ROWS}
    with Store(url) as store:
        commits = store.rows("SELECT topic, partition, max(next_offset) AS next FROM ledger_commit GROUP BY ALL")
        store.command("CREATE VIEW of_mine AS SELECT * FROM owners")
        # Whatever it had done when it was killed, the next one goes on: before it noted a step, before a view, and
        # before it noted the views. The database and the two lists come first.
        views, step = shipped_views(), 3 + len(ddl(migrations()[-1], None))
        for number in (step, step + 1, 3 + len(views) // 2, 3 + len(views)):
            assert not is_ready(store)
            assert _killed(url, number, monkeypatch)
        assert not is_ready(store)
        assert migrate(url) == sorted(f"views/{view.name}" for view in views)
        assert is_ready(store)
        assert store.rows("SELECT count() AS answered FROM of_mine")[0]["answered"] >= 0
        store.command("DROP VIEW of_mine")
        shape = _shape(store)
        anew = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}_anew"))
        migrate(anew)
        with Store(anew) as other:
            assert _shape(other) == shape
            other.command(f"DROP DATABASE {name}_anew")
        assert _sums(store, questions) == before
        for view in views:
            store.text(f"SELECT * FROM {view.name}", "Null")
        # A recorder of this version goes on where the older ones stopped.
        known = positions(store, {row["topic"] for row in commits})
        assert commits
        assert all(known[row["topic"], row["partition"]].offset == row["next"] for row in commits)
        store.command(f"DROP DATABASE {name}")
