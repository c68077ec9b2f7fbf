"""What shipped views answer: what the engine is asked about them, and what is known without asking."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from sinks.store import definitions as defining
from sinks.store.client import Store
from sinks.store.ddl import View
from sinks.store.definitions import answered, differences, read_definitions
from sinks.store.view_answers import view_answers
from tests.databases import at, migrated
from tests.sinks.store.answering import answers_of


@pytest.fixture
def store(clickhouse: str) -> Iterator[Store]:
    name = f"d_{uuid.uuid4().hex[:10]}"
    migrated(at(clickhouse, name))
    with Store(at(clickhouse, name)) as store:
        yield store
        store.command(f"DROP DATABASE {name}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[View]:
    """The views about which the engine is asked."""
    found: list[View] = []

    def ask(store: Store, made: View) -> dict[str, str]:
        found.append(made)
        return answered(store, made)

    monkeypatch.setattr(defining, "answered", ask)
    return found


def test_what_views_answer_is_as_the_engine_tells_it(store: Store) -> None:
    """When this fails: `make view-answers`."""
    assert answers_of(store) == view_answers()


def test_a_store_as_the_migrations_make_it_is_not_asked_what_its_views_answer(store: Store, asked: list[View]) -> None:
    assert [*differences(store, read_definitions(store))] == []
    assert asked == []


def test_a_view_that_shows_something_else_is_asked_about_alone(store: Store, asked: list[View]) -> None:
    query = store.rows("SELECT as_select FROM system.tables WHERE name = 'owners' AND database = currentDatabase()")
    shown = {**view_answers()["owners"], "system": "FixedString(300)"}
    columns = ", ".join(f"`{name}` {kind}" for name, kind in shown.items())
    store.command(f"CREATE OR REPLACE VIEW owners ({columns}) AS {query[0]['as_select']}")
    (found,) = differences(store, read_definitions(store))
    assert (found.table, found.part) == ("owners", "system")
    assert found.message == "this view shows a FixedString(300) where its query answers a String"
    assert len(asked) == 1


def test_an_engine_that_tells_other_types_is_believed(
    store: Store, asked: list[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(view_answers())
    monkeypatch.setattr(defining, "view_answers", lambda: {**known, "owners": {"system": "LowCardinality(String)"}})
    assert [*differences(store, read_definitions(store))] == []
    assert len(asked) == 1


def test_of_what_is_wrong_the_views_are_asked_about_that_read_it(store: Store, asked: list[View]) -> None:
    store.command("DROP TABLE dataset_refresh")
    definitions = read_definitions(store)
    (found,) = differences(store, definitions)
    assert (found.table, found.part) == ("dataset_refresh", None)
    names = {name for name, made in definitions.made.items() if made in asked}
    assert {"refreshes", "trail"} <= names, "one reads it, and another reads that one"
    assert {"decisions", "documents", "why"}.isdisjoint(names)
