"""Which views a store has is on its list: what is changed, new, dropped, a newer version's, or the user's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.errors import StoreError
from sinks.ledger.verify.makeup import view_findings
from sinks.store import migrate as migrating
from sinks.store.client import Store
from sinks.store.migrate import is_ready, migrate
from sinks.store.shipped import ShippedView, shipped_views

OWN = shipped_views()
EXTRA = ShippedView("later", "Is there more?", "SELECT 1 AS more FROM owners")


@pytest.fixture(scope="module")
def url(clickhouse: str) -> Iterator[str]:
    name = f"m_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrate(url)
    yield url
    with Store(clickhouse, database="default") as store:
        store.command(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store
    assert migrate(url) == []


def ships(monkeypatch: pytest.MonkeyPatch, views: Sequence[ShippedView], version: str = "0.1.0") -> None:
    """Be a version that ships these views."""
    monkeypatch.setattr(migrating, "shipped_views", lambda: tuple(views))
    monkeypatch.setattr(migrating, "version", lambda _name: version)


def views_of(store: Store) -> set[str]:
    rows = store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'")
    return {row["name"] for row in rows}


def test_a_view_comes_changes_and_goes_without_a_step_and_one_of_the_users_own_stays(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.command("CREATE VIEW mine AS SELECT * FROM owners")
    with monkeypatch.context() as patched:
        ships(patched, [*OWN, EXTRA])
        assert not is_ready(store)
        assert migrate(url) == ["views/later"]
        assert is_ready(store)
        assert migrate(url) == []
        ships(patched, [*OWN, ShippedView("later", "Is there more?", "SELECT 2 AS more, 'x' AS yes FROM owners")])
        assert not is_ready(store)
        assert migrate(url) == ["views/later"]
        assert [row["name"] for row in store.rows("DESCRIBE TABLE later")] == ["more", "yes"]
    assert not is_ready(store)
    assert [each.table for each in view_findings(store)] == ["shipped_view"]
    assert migrate(url) == ["views/later"]
    assert is_ready(store)
    assert [*view_findings(store)] == []
    assert views_of(store) == {*(view.name for view in OWN), "mine"}
    # What was ours once and is there again is somebody else's.
    store.command("CREATE VIEW later AS SELECT 3")
    assert migrate(url) == []
    assert "later" in views_of(store)
    store.command("DROP VIEW later")
    store.command("DROP VIEW mine")


def test_a_store_whose_views_are_a_newer_versions_is_left_alone(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        ships(patched, OWN, "0.12.1")
        assert is_ready(store)
        assert migrate(url) == []
    when = (
        "SELECT name, metadata_modification_time AS at FROM system.tables "
        "WHERE database = currentDatabase() AND engine = 'View' ORDER BY name"
    )
    before = store.rows(when)
    with pytest.raises(StoreError, match=r"those of seamwatch 0\.12\.1: it needs a newer seamwatch than this one, 0"):
        migrate(url)
    with pytest.raises(StoreError, match="needs a newer seamwatch"):
        is_ready(store)
    assert store.rows(when) == before
    store.command("TRUNCATE TABLE shipped_view")
    assert not is_ready(store)
    assert {str(each).split()[2] for each in view_findings(store)} == {view.name for view in OWN}
    assert migrate(url) == sorted(f"views/{view.name}" for view in OWN)


def test_a_view_that_somebody_replaced_is_ours_again_and_a_table_in_its_place_is_not_thrown_away(
    url: str, store: Store
) -> None:
    shown = "SELECT as_select AS query FROM system.tables WHERE database = currentDatabase() AND name = 'owners'"
    before = store.rows(shown)
    store.command("CREATE OR REPLACE VIEW owners AS SELECT * FROM inventory WHERE owner != ''")
    assert migrate(url) == []
    assert store.rows(shown) == before
    store.command("DROP VIEW owners")
    store.command("CREATE TABLE owners (system String) ENGINE = MergeTree ORDER BY system")
    store.command("INSERT INTO owners VALUES ('kept')")
    with pytest.raises(StoreError, match="a table named owners, where a view must be"):
        migrate(url)
    assert store.rows("SELECT system FROM owners") == [{"system": "kept"}]
    store.command("DROP TABLE owners")


def test_a_reader_finds_every_view_while_all_are_made_anew(url: str, store: Store) -> None:
    asked = 0
    with ThreadPoolExecutor(1) as pool:
        migrated = pool.submit(migrate, url)
        while not migrated.done() or not asked:
            for view in OWN[-3:]:
                store.text(f"SELECT * FROM {view.name} LIMIT 0", "Null")
            asked += 1
    assert migrated.result() == []


def test_a_step_that_would_make_a_view_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "_LAST_WITH_VIEWS", 1)
    migrating.migrations.cache_clear()
    try:
        with pytest.raises(StoreError, match="0002_views makes a view: steps are for tables"):
            migrating.migrations()
    finally:
        monkeypatch.undo()
        migrating.migrations.cache_clear()
