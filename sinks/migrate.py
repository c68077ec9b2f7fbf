"""Migrations: brings a store's tables and views to what this version needs, forward only.

Each file of `sinks/migrations` is one step, named ``<number>_<what>.sql``; which ones a store has had is kept in its
table `migration`. Steps may be run by two processes at once: every statement in them can be repeated.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import polars as pl

from seamwatch.errors import StoreError, UsageError
from sinks.cluster import Cluster, tables_of_every_node
from sinks.store import Address, Store

_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE: Final = """
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
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step; ``digest`` is the SHA-256 of its file."""

    number: int
    name: str
    digest: str
    statements: tuple[str, ...]


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step there is, in order. Raises StoreError when a number is missing or given twice."""
    found = []
    for file in (resources.files("sinks") / "migrations").iterdir():
        if match := _NAME.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            found.append(Migration(int(match[1]), match[2], digest, statements(text)))
    found.sort(key=lambda step: step.number)
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise StoreError("the numbers of sinks/migrations are not 0001, 0002, … without a gap: reinstall seamwatch")
    return tuple(found)


def statements(text: str) -> tuple[str, ...]:
    """The statements of an SQL file: each ends with a semicolon at the end of a line; comment lines are left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", lines) if part.strip())


def ddl(step: Migration, cluster: Cluster | None) -> tuple[str, ...]:
    """The statements of a step as this store needs them."""
    return step.statements if cluster is None else cluster.statements(step.statements, _whole())


def beginning(database: str, cluster: Cluster | None) -> tuple[str, ...]:
    """What comes before the first step: the database, and the table of the steps it has had."""
    if cluster is None:
        return (f"CREATE DATABASE IF NOT EXISTS {database}", _TABLE.strip())
    return (*cluster.databases(), *cluster.statements([_TABLE.strip()], _whole()))


def cluster_of(url: str, name: str | None) -> Cluster | None:
    """The cluster of this name, if one is named, around the database of this URL."""
    return None if name is None else Cluster(name, _database(url))


def migrate(url: str, cluster: str | None = None) -> list[str]:
    """Bring the store at this URL up to date, creating its database; returns the names of the steps it took.

    With the name of a ``cluster`` its tables are made on all of it. Safe to repeat. Raises UnreachableError when the
    store does not answer, StoreError when it refuses, or when it has had a step that this version does not know (it
    belongs to a newer one) or knows with another content.
    """
    around = cluster_of(url, cluster)
    *databases, table = beginning(_database(url), around)
    # A connection to a database that does not exist yet is refused, so the first one names none.
    with Store(url, database="default") as server:
        for statement in databases:
            server.command(statement)
    with Store(url) as store:
        store.command(table)
        had = _had(store)
        steps = [step for step in migrations() if step.number not in had]
        for step in steps:
            for statement in ddl(step, around):
                store.command(statement)
            row = pl.DataFrame({"number": [step.number], "name": [step.name], "digest": [step.digest]})
            store.insert("migration", row, f"migration/{step.number}")
    return [f"{step.number:04d}_{step.name}" for step in steps]


def _database(url: str) -> str:
    database = Address.parse(url).database
    if not _IDENTIFIER.fullmatch(database):
        raise UsageError(f"CLICKHOUSE_URL: {database!r} cannot name a database: use letters, digits and _")
    return database


def _whole() -> frozenset[str]:
    return tables_of_every_node([_TABLE.strip(), *(each for step in migrations() for each in step.statements)])


def is_ready(store: Store) -> bool:
    """Whether the store has had every step this version knows."""
    exists = store.rows(
        "SELECT count() AS tables FROM system.tables WHERE database = currentDatabase() AND name = 'migration'"
    )
    return bool(exists[0]["tables"]) and {step.number for step in migrations()} <= set(_had(store))


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
