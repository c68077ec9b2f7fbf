"""Migrations: brings a store's tables and views to what this version needs, forward only.

Each file of `sinks/store/migrations` is one step for the tables, named ``<number>_<what>.sql``; which ones a store has
had is kept in its table `migration`. All views are made anew after the steps, each from its file
(`sinks.store.shipped`); which ones a store has, and whose, is kept in `shipped_view`. It may be run by two processes at
once, and again after it was killed: every statement can be repeated.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Final
from uuid import uuid4

import polars as pl

from seamwatch.errors import StoreError, UsageError
from sinks.store.client import Address, Store, quoted
from sinks.store.cluster import Cluster, tables_of_every_node
from sinks.store.shipped import shipped_views

_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VIEW: Final = re.compile(r"CREATE OR REPLACE VIEW (\w+)")
_LAST_WITH_VIEWS: Final = 25
"""The last step that made views. What those steps say of views stays in them, because stores remember their digests."""
_TABLES: Final = (
    """
CREATE TABLE IF NOT EXISTS migration
(
    `number` UInt32,
    `name` String,
    `digest` String,
    `applied_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY number
SETTINGS non_replicated_deduplication_window = 1000
""".strip(),
    """
CREATE TABLE IF NOT EXISTS shipped_view
(
    `name` String,
    `digest` String,
    `version` String,
    `made_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY name
SETTINGS non_replicated_deduplication_window = 1000
""".strip(),
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step: all statements of its file, and the SHA-256 of that."""

    number: int
    name: str
    digest: str
    statements: tuple[str, ...]

    @property
    def of_tables(self) -> tuple[str, ...]:
        """The statements that are run: without those that once made views."""
        return tuple(each for each in self.statements if not _VIEW.match(each))

    @property
    def former_views(self) -> frozenset[str]:
        """The views that it once made."""
        return frozenset(match[1] for each in self.statements if (match := _VIEW.match(each)))


@dataclass(frozen=True, slots=True)
class Made:
    """A view that a store has, as its list has it: the digest of its query, and the version of seamwatch that made it.

    The digest of a view that was dropped is empty.
    """

    digest: str
    version: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step, in order. Raises StoreError when a number is missing or given twice, or a new step makes a view."""
    found = []
    for file in (resources.files("sinks.store") / "migrations").iterdir():
        if match := _NAME.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            found.append(Migration(int(match[1]), match[2], digest, statements(text)))
    found.sort(key=lambda step: step.number)
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise StoreError(
            "the numbers of sinks/store/migrations are not 0001, 0002, … without a gap: reinstall seamwatch"
        )
    for step in found[_LAST_WITH_VIEWS:]:
        if step.former_views:
            raise StoreError(
                f"step {step.number:04d}_{step.name} makes a view: steps are for tables, and a view is a file of its "
                "own in sinks/store/views"
            )
    return tuple(found)


def statements(text: str) -> tuple[str, ...]:
    """The statements of an SQL file: each ends with a semicolon at the end of a line; comment lines are left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", lines) if part.strip())


def ddl(step: Migration, cluster: Cluster | None) -> tuple[str, ...]:
    """The statements of a step as this store needs them. What old steps say of views is not run any more."""
    return _for(cluster, step.of_tables)


def ddl_of_views(cluster: Cluster | None) -> tuple[str, ...]:
    """The statements that make all views anew, as this store needs them."""
    return _for(cluster, [view.statement for view in shipped_views()])


def beginning(database: str, cluster: Cluster | None) -> tuple[str, ...]:
    """What comes before the first step: the database, and the tables of the steps and views that it has had."""
    return (*_databases(database, cluster), *_for(cluster, _TABLES))


def everything(database: str, cluster: Cluster | None = None) -> tuple[str, ...]:
    """All statements that make a new store: the beginning, every step, and the views."""
    steps = (each for step in migrations() for each in ddl(step, cluster))
    return (*beginning(database, cluster), *steps, *ddl_of_views(cluster))


def cluster_of(url: str, name: str | None) -> Cluster | None:
    """The cluster of this name, if one is named, around the database of this URL."""
    return None if name is None else Cluster(name, _database(url))


def migrate(url: str, cluster: str | None = None) -> list[str]:
    """Bring the store at this URL up to date, creating its database; returns what was not on its lists yet.

    That is the names of the steps it took, and ``views/<name>`` for each view that is new, another or dropped. All
    views are made anew whatever the list says, so that one which somebody replaced is ours again.

    With the name of a ``cluster`` its tables are made on all of it. Safe to repeat. Raises UnreachableError when the
    store does not answer, StoreError when it refuses, when it has had a step or views of a newer version, or a step
    that this version knows with another content, and when a table has the name of a view.
    """
    around = cluster_of(url, cluster)
    database = _database(url)
    # A connection to a database that does not exist yet is refused, so the first one names none.
    with Store(url, database="default") as server:
        for statement in _databases(database, around):
            server.command(statement)
    with Store(url) as store:
        for table in _for(around, _TABLES):
            store.command(table)
        had = _had(store)
        made = made_views(store) or _made_by_steps(had)
        _demand_not_newer(store, made)
        steps = [step for step in migrations() if step.number not in had]
        for step in steps:
            for statement in ddl(step, around):
                store.command(statement)
            row = pl.DataFrame({"number": [step.number], "name": [step.name], "digest": [step.digest]})
            store.insert("migration", row, f"migration/{step.number}")
        return [*(f"{step.number:04d}_{step.name}" for step in steps), *_make_views(store, around, made)]


def _make_views(store: Store, cluster: Cluster | None, made: Mapping[str, Made]) -> list[str]:
    """Make all views anew, drop those that are no longer shipped, and note what has changed, in this order.

    So whoever is killed in between notes nothing, and the next one does all of it again.
    """
    digests = {view.name: view.digest for view in shipped_views()}
    gone = sorted(name for name, each in made.items() if each.digest and name not in digests)
    engines = {
        row["name"]: row["engine"]
        for row in store.rows(
            "SELECT name, engine FROM system.tables WHERE database = currentDatabase() "
            f"AND name IN ({quoted([*digests, *gone])})"
        )
    }
    if others := sorted(name for name in digests if engines.get(name, "View") != "View"):
        raise StoreError(
            f"the store at {store.address} has a table named {others[0]}, where a view must be: rename it, or drop it, "
            "and run `seamwatch store migrate` again"
        )
    for statement in ddl_of_views(cluster):
        store.command(statement)
    for statement in _for(cluster, [f"DROP VIEW IF EXISTS {name}" for name in gone if engines.get(name) == "View"]):
        store.command(statement)
    noted = {**digests, **dict.fromkeys(gone, "")}
    new = sorted(name for name, digest in noted.items() if name not in made or made[name].digest != digest)
    own = version("seamwatch")
    # A newer version that ships the same views takes them over, so that an older one is refused all the same.
    again = sorted(name for name in noted if name not in new and made[name].version != own)
    if rows := [*new, *again]:
        named = {"name": rows, "digest": [noted[name] for name in rows], "version": [own] * len(rows)}
        store.insert("shipped_view", pl.DataFrame(named), f"shipped_view/{uuid4()}")
    return [f"views/{name}" for name in new]


def _database(url: str) -> str:
    database = Address.parse(url).database
    if not _IDENTIFIER.fullmatch(database):
        raise UsageError(f"CLICKHOUSE_URL: {database!r} cannot name a database: use letters, digits and _")
    return database


def _databases(database: str, cluster: Cluster | None) -> tuple[str, ...]:
    return (f"CREATE DATABASE IF NOT EXISTS {database}",) if cluster is None else cluster.databases()


def _for(cluster: Cluster | None, statements: Iterable[str]) -> tuple[str, ...]:
    return tuple(statements) if cluster is None else cluster.statements(statements, _whole())


def _whole() -> frozenset[str]:
    return tables_of_every_node([*_TABLES, *(each for step in migrations() for each in step.of_tables)])


def is_ready(store: Store) -> bool:
    """Whether the store has had every step that this version knows, and its views are those of this version.

    Raises StoreError where they are a newer version's.
    """
    exists = store.rows(
        "SELECT count() AS tables FROM system.tables "
        "WHERE database = currentDatabase() AND name IN ('migration', 'shipped_view')"
    )
    if exists[0]["tables"] < len(_TABLES) or not {step.number for step in migrations()} <= set(_had(store)):
        return False
    made = made_views(store)
    _demand_not_newer(store, made)
    return {name: each.digest for name, each in made.items() if each.digest} == {
        view.name: view.digest for view in shipped_views()
    }


def is_empty(store: Store) -> bool:
    """Whether the store's database has no table at all: it was never migrated."""
    tables = store.rows("SELECT count() AS tables FROM system.tables WHERE database = currentDatabase()")
    return not tables[0]["tables"]


def _had(store: Store) -> dict[int, str]:
    had = {row["number"]: row["digest"] for row in store.rows("SELECT number, digest FROM migration ORDER BY number")}
    known = {step.number: step for step in migrations()}
    if unknown := sorted(set(had) - set(known)):
        raise StoreError(f"the store at {store.address} has had step {unknown[-1]}: it needs a newer seamwatch")
    for number, digest in had.items():
        if known[number].digest != digest:
            raise StoreError(
                f"step {number:04d}_{known[number].name} has changed since the store at {store.address} had it: "
                "a step is never edited once released; add another one"
            )
    return had


def made_views(store: Store) -> dict[str, Made]:
    """The views of ours that are on the store's list, by name; those that were dropped too."""
    rows = store.rows(
        "SELECT name, digest, version FROM shipped_view ORDER BY made_at DESC, version DESC LIMIT 1 BY name"
    )
    return {row["name"]: Made(row["digest"], row["version"]) for row in rows}


def _made_by_steps(had: Iterable[int]) -> dict[str, Made]:
    """The views of a store from before views were files: those that its steps made, of no digest that is known."""
    views = [name for step in migrations() if step.number in had for name in step.former_views]
    return dict.fromkeys(views, Made("made by steps", ""))


def _demand_not_newer(store: Store, made: Mapping[str, Made]) -> None:
    newest = max((each.version for each in made.values()), key=_ordered, default="")
    own = version("seamwatch")
    if _ordered(newest) > _ordered(own):
        raise StoreError(
            f"the views of the store at {store.address} are those of seamwatch {newest}: it needs a newer seamwatch "
            f"than this one, {own}"
        )


def _ordered(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])
