"""What a store of any earlier version holds comes through the later steps unchanged, and answers afterwards."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest

from sinks.migrate import is_ready, migrate, migrations
from sinks.positions import positions
from sinks.store import Store

ROWS = 3


def _fill(store: Store, version: int) -> list[str]:
    """Put rows of random values into every table that this version has; the questions that give just these rows.

    The first text of each row is marked, so that rows of other versions are told apart.
    """
    tables = store.rows(
        "SELECT table, groupArray((name, type)) AS columns FROM "
        "(SELECT * FROM system.columns WHERE database = currentDatabase() ORDER BY table, position) "
        "WHERE table IN (SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine LIKE '%MergeTree' AND name != 'migration') GROUP BY table ORDER BY table"
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
        questions.append(f"SELECT {names} FROM {table} WHERE `{marked}` = 'written at {version}' ORDER BY ALL")
    return questions


def test_rows_of_every_earlier_version_come_through_the_later_steps(
    clickhouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"m_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    every = migrations()
    before: dict[str, bytes] = {}
    for version in range(1, len(every)):
        with monkeypatch.context() as earlier, Store(url) as store:
            earlier.setattr("sinks.migrate.migrations", lambda known=every[:version]: known)
            assert migrate(url) == [f"{every[version - 1].number:04d}_{every[version - 1].name}"]
            before |= {question: store.text(question, "JSONEachRow") for question in _fill(store, version)}
    assert {answer.count(b"\n") for answer in before.values()} == {ROWS}
    with Store(url) as store:
        commits = store.rows("SELECT topic, partition, max(next_offset) AS next FROM ledger_commit GROUP BY ALL")
        assert not is_ready(store)
        migrate(url)
        assert is_ready(store)
        assert {question: store.text(question, "JSONEachRow") for question in before} == before
        views = store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'")
        for view in views:
            store.text(f"SELECT * FROM {view['name']}", "Null")
        # A recorder of this version goes on where the older ones stopped.
        known = positions(store, {row["topic"] for row in commits})
        assert commits
        assert all(known[row["topic"], row["partition"]].offset == row["next"] for row in commits)
        store.command(f"DROP DATABASE {name}")
