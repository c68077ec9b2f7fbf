"""The databases that tests copy from a migrated one are what migrating makes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sinks.store.client import Store
from sinks.store.migrate import is_ready, migrate
from tests.databases import at, migrated

COLUMNS = (
    "SELECT table, position, name, type, default_kind, default_expression, compression_codec, is_in_sorting_key "
    "FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
)
LISTS = (
    "SELECT number, name, digest FROM migration ORDER BY number",
    "SELECT name, digest, version FROM shipped_view ORDER BY name",
)


def test_a_copied_database_is_that_which_migrating_makes(clickhouse: str) -> None:
    names = [f"c_{uuid.uuid4().hex[:10]}" for _ in range(2)]
    make: tuple[Callable[[str], object], ...] = (migrate, migrated)
    found = []
    for name, made in zip(names, make, strict=True):
        made(at(clickhouse, name))
        with Store(at(clickhouse, name)) as store:
            assert is_ready(store)
            found.append((_statements(store, name), [store.rows(sql) for sql in (COLUMNS, *LISTS)]))
    assert found[0] == found[1]
    assert len(found[0][0]) > 50
    assert migrate(at(clickhouse, names[1])) == []
    with Store(clickhouse, database="default") as store:
        for name in names:
            store.command(f"DROP DATABASE {name}")


def _statements(store: Store, name: str) -> list[dict[str, Any]]:
    rows = store.rows(
        "SELECT name, create_table_query AS made FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    )
    return [{"name": row["name"], "made": row["made"].replace(name, "database")} for row in rows]
