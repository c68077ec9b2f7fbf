"""Makes migrated databases for tests as copies of one that was migrated, which cost a third of taking every step anew.

What migrating itself does is tested with `sinks.store.migrate`. A copy has the same tables, views and lists
(`tests/sinks/store/test_copied.py`), and nothing of ours that a user has: it is for tests alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit, urlunsplit

import polars as pl

from sinks.store.client import Address, Store
from sinks.store.migrate import migrate
from sinks.store.shipped import shipped_views

_LISTS = {"migration": ("number", "name", "digest"), "shipped_view": ("name", "digest", "version")}


@dataclass(frozen=True)
class _Model:
    """What a migrated database is made of: its statements, in an order in which they can run, and its lists' rows."""

    name: str
    statements: tuple[str, ...]
    lists: dict[str, pl.DataFrame]


def migrated(url: str) -> None:
    """Make the database that this URL names as `migrate` would. There must be none of that name."""
    name = Address.parse(url).database
    model = _model(at(url, "default"))
    with Store(url, database="default") as store:
        store.command(f"CREATE DATABASE {name}")
        for statement in model.statements:
            store.command(statement.replace(model.name, name))
        for table, rows in model.lists.items():
            store.insert(f"{name}.{table}", rows, f"{table}/copied")


def at(url: str, database: str) -> str:
    """The URL with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@cache
def _model(server: str) -> _Model:
    name = f"model_{uuid.uuid4().hex}"
    migrate(at(server, name))
    with Store(server) as store:
        made = store.rows(
            "SELECT name, create_table_query AS statement FROM system.tables WHERE database = {name:String}",
            {"name": name},
        )
        lists = {table: store.frame(f"SELECT {', '.join(of)} FROM {name}.{table}") for table, of in _LISTS.items()}
        store.command(f"DROP DATABASE {name}")
    # A view comes after what it reads.
    order = {view.name: number for number, view in enumerate(shipped_views(), 1)}
    made.sort(key=lambda row: order.get(row["name"], 0))
    return _Model(name, tuple(row["statement"] for row in made), lists)
