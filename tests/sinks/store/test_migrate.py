"""Forward only, numbered without a gap, safe to repeat, and tables that hold every field of the wire."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.errors import StoreError, UnreachableError, UsageError
from seamwatch.record_types import INPUT_TYPES
from sinks.columns import POSITION_COLUMNS, columns
from sinks.store.client import Address, Store
from sinks.store.migrate import is_ready, migrate, migrations, statements
from sinks.store.refusals import StoreRefusedError
from sinks.store.shipped import shipped_views

DOCS = Path(__file__).parents[3] / "docs" / "store.md"


@pytest.fixture
def url(clickhouse: str) -> Iterator[str]:
    name = f"m_{uuid.uuid4().hex[:10]}"
    yield urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    with Store(clickhouse, database="default") as store:
        store.command(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture(scope="module")
def migrated(clickhouse: str) -> Iterator[Store]:
    name = f"m_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrate(url)
    with Store(url) as store:
        yield store
        store.command(f"DROP DATABASE IF EXISTS {name}")


def test_a_store_is_brought_up_to_date_once(url: str) -> None:
    names = [f"{step.number:04d}_{step.name}" for step in migrations()]
    views = sorted(f"views/{view.name}" for view in shipped_views())
    assert migrate(url) == [*names, *views]
    assert migrate(url) == []
    with Store(url) as store:
        assert is_ready(store)
        store.command("DELETE FROM migration WHERE number = 1")
        assert not is_ready(store)
    # A process that died between a step and its note takes the step again.
    assert migrate(url) == names[:1]


def test_a_store_of_a_newer_version_is_left_alone(url: str) -> None:
    migrate(url)
    with Store(url) as store:
        store.command("INSERT INTO migration (number, name, digest) VALUES (999, 'later', 'x')")
    with pytest.raises(StoreError, match="needs a newer seamwatch"):
        migrate(url)


def test_a_step_that_was_edited_after_it_was_taken_is_refused(url: str) -> None:
    migrate(url)
    with Store(url) as store:
        store.command("TRUNCATE TABLE migration")
        store.command("INSERT INTO migration (number, name, digest) VALUES (1, 'record', 'other')")
    with pytest.raises(StoreError, match="0001_record has changed"):
        migrate(url)


@pytest.mark.parametrize(
    "record_type", [*INPUT_TYPES, "violation", "verdict", "suspended", "notice", "page", "outage", "erasure"]
)
def test_a_table_has_every_field_of_its_record_and_where_it_was(migrated: Store, record_type: str) -> None:
    described = [row["name"] for row in migrated.rows(f"DESCRIBE TABLE {record_type}")]
    assert described == [*columns(record_type), *POSITION_COLUMNS]


def test_the_docs_name_every_table_view_and_column(migrated: Store) -> None:
    text = DOCS.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL))
    tables = migrated.rows("SELECT name, engine FROM system.tables WHERE database = currentDatabase() ORDER BY name")
    assert sorted(sections) == [row["name"] for row in tables]
    for row in tables:
        described = {column["name"] for column in migrated.rows(f"DESCRIBE TABLE {row['name']}")}
        wanted = described if row["engine"] == "View" else described - set(POSITION_COLUMNS)
        if row["name"] in (*INPUT_TYPES, "violation", "verdict", "suspended", "notice", "page", "erasure"):
            continue  # their fields are described where they are defined, in the wire's schemas
        assert wanted - set(re.findall(r"`(\w+)`", sections[row["name"]])) == set(), row["name"]


def test_statements_end_at_a_semicolon_at_the_end_of_a_line() -> None:
    assert statements("-- why; and\nSELECT ';' AS a;\nSELECT 2\n") == ("SELECT ';' AS a", "SELECT 2")


def test_addresses_are_read_from_urls_and_shown_without_secrets() -> None:
    address = Address.parse("http://writer:s%40cret@store.example.org/audit")
    assert (address.user, address.password, address.port, address.database) == ("writer", "s@cret", 8123, "audit")
    assert str(address) == "http://store.example.org:8123/audit"
    with pytest.raises(UsageError):
        Address.parse("store.example.org:8123")
    with pytest.raises(UsageError, match="cannot name a database"):
        migrate("http://u:p@127.0.0.1:9/a-b")


def test_a_store_that_is_away_and_one_that_refuses_are_told_apart(clickhouse: str) -> None:
    with pytest.raises(UnreachableError), Store("http://u:p@127.0.0.1:9/x") as store:
        store.command("SELECT 1")
    with pytest.raises(StoreRefusedError) as caught, Store(clickhouse, database="default") as store:
        store.rows("SELECT * FROM no_such_table")
    assert caught.value.code == 60
