"""What a store of any earlier version holds comes through the later steps unchanged, and answers afterwards."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit, urlunsplit

from sinks.migrate import Migration, beginning, is_ready, migrate, migrations
from sinks.positions import positions
from sinks.store import Store

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


def test_rows_of_every_earlier_version_come_through_the_later_steps(clickhouse: str) -> None:
    name = f"m_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    database, table_of_steps = beginning(name, None)
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
        assert not is_ready(store)
        assert migrate(url) == [f"{migrations()[-1].number:04d}_{migrations()[-1].name}"]
        assert is_ready(store)
        assert _sums(store, questions) == before
        views = store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'")
        for view in views:
            store.text(f"SELECT * FROM {view['name']}", "Null")
        # A recorder of this version goes on where the older ones stopped.
        known = positions(store, {row["topic"] for row in commits})
        assert commits
        assert all(known[row["topic"], row["partition"]].offset == row["next"] for row in commits)
        store.command(f"DROP DATABASE {name}")
