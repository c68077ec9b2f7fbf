"""Tables for a cluster: the statements of the migrations as a ClickHouse cluster needs them, made from the same text.

    <database>_local.<table>   ReplicatedMergeTree: a share of the rows, on every shard, with replicas
    <database>.<table>         Distributed over it: what everything else reads and writes, under the name it knows

A topic partition's rows, and all that the ledger says of it, are on one shard, so that a block is one insert with one
deduplication token there. A table that knows no topic partition is replicated to every node whole. Text to text; it
runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from seamwatch.errors import StoreError

LOCAL: Final = "_local"
_SHARED: Final = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
_EVERYWHERE: Final = "'/clickhouse/tables/{uuid}/all', '{shard}-{replica}'"
_CREATE: Final = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)\s+(?=\()")
_ENGINE: Final = re.compile(r"ENGINE = (\w*MergeTree)\b(?:\(([^)]*)\))?")
_VIEW: Final = re.compile(r"CREATE OR REPLACE VIEW (\w+)(?= )")
_DROP_VIEW: Final = re.compile(r"DROP VIEW IF EXISTS (\w+)")
_ALTER: Final = re.compile(r"ALTER TABLE (\w+)(?=\s+(\w+)\s+(\w+))")
_OF_COLUMNS: Final = {("ADD", "COLUMN"), ("MODIFY", "COLUMN"), ("DROP", "COLUMN"), ("RENAME", "COLUMN")}
_OF_PARTS: Final = {
    (verb, what) for verb in ("ADD", "DROP", "MATERIALIZE", "CLEAR") for what in ("INDEX", "PROJECTION")
} | {("MODIFY", "SETTING"), ("MODIFY", "TTL"), ("MATERIALIZE", "COLUMN")}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster by the name that its servers' configuration gives it, and the database that is asked."""

    name: str
    database: str

    def databases(self) -> tuple[str, ...]:
        """What makes the two databases."""
        return tuple(
            f"CREATE DATABASE IF NOT EXISTS {database}{self._on}" for database in (self.database, self.database + LOCAL)
        )

    def statements(self, step: Iterable[str], whole: frozenset[str]) -> tuple[str, ...]:
        """What makes tables and views, for this cluster; ``whole`` are the tables that every node has whole.

        Raises StoreError for a statement of which it does not know what it is on a cluster.
        """
        return tuple(each for statement in step for each in self._statement(statement, whole))

    def local_name(self, table: str) -> str:
        """The table that holds the rows of a record type, as ALTER names it on every shard."""
        return f"{self.database}{LOCAL}.{table}{self._on}"

    @property
    def _on(self) -> str:
        return f" ON CLUSTER '{self.name}'"

    def _statement(self, statement: str, whole: frozenset[str]) -> tuple[str, ...]:
        if match := _CREATE.match(statement):
            return self._table(match[1], statement[match.end() :], whole)
        if match := _VIEW.match(statement):
            return (f"CREATE OR REPLACE VIEW {self.database}.{match[1]}{self._on}{statement[match.end() :]}",)
        if match := _DROP_VIEW.fullmatch(statement):
            return (f"DROP VIEW IF EXISTS {self.database}.{match[1]}{self._on}",)
        if match := _ALTER.match(statement):
            table, action, rest = match[1], (match[2], match[3]), statement[match.end() :]
            asked = f"ALTER TABLE {self.database}.{table}{self._on}{rest}"
            if table in whole and action in _OF_COLUMNS | _OF_PARTS:
                return (_replicated_settings(asked),)
            held = f"ALTER TABLE {self.local_name(table)}{_replicated_settings(rest)}"
            if action in _OF_PARTS:
                return (held,)
            if action in _OF_COLUMNS:
                # The rows' own table first: for a moment nobody asks for the column, not nobody has it.
                return (held, asked)
        raise StoreError(f"a migration has a statement that is not known on a cluster: {statement[:100]!r}")

    def _table(self, table: str, definition: str, whole: frozenset[str]) -> tuple[str, ...]:
        where = _EVERYWHERE if table in whole else _SHARED
        definition = _replicated_settings(_ENGINE.sub(lambda match: _replicated(match, where), definition, count=1))
        if table in whole:
            return (f"CREATE TABLE IF NOT EXISTS {self.database}.{table}{self._on}\n{definition}",)
        held = f"{self.database}{LOCAL}"
        over = f"Distributed('{self.name}', '{held}', '{table}', cityHash64(topic, partition))"
        return (
            f"CREATE TABLE IF NOT EXISTS {self.local_name(table)}\n{definition}",
            f"CREATE TABLE IF NOT EXISTS {self.database}.{table}{self._on} AS {held}.{table}\nENGINE = {over}",
        )


def tables_of_every_node(statements: Iterable[str]) -> frozenset[str]:
    """The tables among these statements that know no topic partition, and so have no shard to be on."""
    found = set()
    for statement in statements:
        match = _CREATE.match(statement)
        if match and not re.search(r"^\s*`topic` ", statement, re.MULTILINE):
            found.add(match[1])
    return frozenset(found)


def _replicated(match: re.Match[str], where: str) -> str:
    own = f", {match[2]}" if match[2] else ""
    return f"ENGINE = Replicated{match[1]}({where}{own})"


def _replicated_settings(text: str) -> str:
    return text.replace("non_replicated_deduplication_window", "replicated_deduplication_window")
