"""Roles of the store, as ClickHouse's own DDL: who may write, read all of it, read its answers, or one team's share.

    seamwatch_operator   migrates, drops by retention, places holds, backs up
    seamwatch_writer     the recorder: inserts and reads; alters, drops and deletes nothing
    seamwatch_auditor    reads everything, and does nothing else
    seamwatch_board      reads the answers; not raw bytes, keys, headers, attributes, arguments and what services said
    seamwatch_team_…     reads the records of the systems that its team owns, and the answers made of them

Users are not made here: their passwords are their owner's. Text only; it runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from seamwatch.errors import UsageError
from seamwatch.record_types import INPUT_TYPES
from sinks.columns import POSITION_COLUMNS, columns
from sinks.store.client import quoted
from sinks.store.cluster import LOCAL, Cluster
from sinks.store.shipped import shipped_views

OPERATOR: Final = "seamwatch_operator"
WRITER: Final = "seamwatch_writer"
AUDITOR: Final = "seamwatch_auditor"
BOARD: Final = "seamwatch_board"
OF_SYSTEMS: Final = (*INPUT_TYPES, "violation", "verdict", "suspended", "notice")
"""The tables whose rows are of a system, and so of the team that owns it."""
_PERSONAL: Final = {"raw", "key", "headers", "attributes", "arguments"}
_SAID_ELSEWHERE: Final = {"evidence"}
"""Of an acknowledgement, what a service said, names among it; of a violation the ids of events have that name."""
_TEAM: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_OPERATING: Final = (
    "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE, BACKUP"
)
# ClickHouse before its pull request 119823 (26.9 still) lets one query hide rows from another by this cache.
_ALWAYS: Final = "use_query_condition_cache = 0, min_table_rows_to_use_projection_index = 0"
# ClickHouse has one type for text and bytes. Sent as text, the bytes of `raw` end an analyst's process.
_AS_BYTES: Final = ", ".join(
    f"output_format_{form}_string_as_string = 0 CHANGEABLE_IN_READONLY" for form in ("arrow", "parquet", "orc")
)
_READING: Final = (
    f"readonly = 1 CONST, {_ALWAYS}, {_AS_BYTES}, max_execution_time = 300 MAX 300, "
    "max_memory_usage = 4294967296 MAX 4294967296"
)
_WRITING: Final = f"async_insert = 0 CONST, insert_deduplicate = 1 CONST, {_ALWAYS}"
_WRITING_ON_CLUSTER: Final = (
    "insert_quorum = 'auto', select_sequential_consistency = 1, distributed_foreground_insert = 1, "
    "distributed_product_mode = 'global'"
)


def roles(database: str, teams: Sequence[str] = (), cluster: Cluster | None = None) -> list[str]:
    """The statements that make all roles, their settings, grants and row policies; safe to repeat.

    Raises UsageError for a team whose name cannot be part of a role's.
    """
    if wrong := [team for team in teams if not _TEAM.fullmatch(team)]:
        raise UsageError(f"--team {wrong[0]}: a role's name takes small letters, digits, - and _")
    return [*_Ddl(database, cluster).statements(teams)]


class _Ddl:
    def __init__(self, database: str, cluster: Cluster | None) -> None:
        self._database = database
        self._on = "" if cluster is None else f" ON CLUSTER '{cluster.name}'"
        self._is_clustered = cluster is not None
        # Rows are held by the local tables of a cluster, and who asks the distributed ones is asked for there too.
        self._databases = [database] if cluster is None else [database, database + LOCAL]

    def statements(self, teams: Sequence[str]) -> Iterator[str]:
        named = {team: f"`seamwatch_team_{team}`" for team in teams}
        for role in (OPERATOR, WRITER, AUDITOR, BOARD, *named.values()):
            yield f"CREATE ROLE IF NOT EXISTS {role}{self._on}"
        yield from self._profiles([*named.values()])
        for database in self._databases:
            yield self._grant(_OPERATING, f"{database}.*", OPERATOR)
            yield self._grant("SELECT, INSERT", f"{database}.*", WRITER)
            yield self._grant("SELECT", f"{database}.*", AUDITOR)
        if self._is_clustered:
            yield self._grant("CLUSTER", "*.*", OPERATOR)
        yield from self._reading(BOARD, without=_PERSONAL)
        for database in self._databases:
            for table, names in _SHOWN.items():
                listed = ", ".join(f"`{name}`" for name in names)
                yield self._grant(f"SELECT({listed})", f"{database}.{table}", BOARD)
        for role in named.values():
            yield from self._reading(role, without=frozenset())
        if teams:
            yield from self._policies(named)

    def _profiles(self, teams: Sequence[str]) -> Iterator[str]:
        reading = _READING + (", distributed_product_mode = 'global'" if self._is_clustered else "")
        writing = _WRITING + (f", {_WRITING_ON_CLUSTER}" if self._is_clustered else "")
        for name, settings, of in (
            ("seamwatch_reading", reading, [AUDITOR, BOARD, *teams]),
            ("seamwatch_writing", writing, [WRITER, OPERATOR]),
        ):
            yield f"CREATE SETTINGS PROFILE OR REPLACE {name}{self._on} SETTINGS {settings} TO {', '.join(of)}"

    def _reading(self, role: str, without: frozenset[str] | set[str]) -> Iterator[str]:
        """What the views read, and the views. Views run with the rights of who asks them."""
        for database in self._databases:
            for table in (*OF_SYSTEMS, "erasure", *_KNOWN):
                left_out = without | _SAID_ELSEWHERE if without and table == "acknowledgement" else without
                yield self._grant(f"SELECT({', '.join(_columns(table, left_out))})", f"{database}.{table}", role)
        for view in sorted(view.name for view in shipped_views()):
            yield self._grant("SELECT", f"{self._database}.{view}", role)

    def _policies(self, teams: Mapping[str, str]) -> Iterator[str]:
        """Rows by team. One who has no policy of their own on a table may be shown nothing, so all others have one."""
        database = self._databases[-1]
        for table in (*OF_SYSTEMS, "repeated"):
            on = f"{self._on} ON {database}.{table}"
            yield (
                f"CREATE ROW POLICY OR REPLACE seamwatch_all{on} AS PERMISSIVE FOR SELECT USING 1 "
                f"TO {OPERATOR}, {WRITER}, {AUDITOR}, {BOARD}"
            )
            for team, role in teams.items():
                owned = (
                    f"SELECT id FROM {self._database}.documents WHERE kind = 'System' "
                    f"AND JSONExtractString(document, 'team') IN ({quoted([team])})"
                )
                yield (
                    f"CREATE ROW POLICY OR REPLACE `seamwatch_team_{team}`{on} AS PERMISSIVE FOR SELECT "
                    f"USING system IN ({owned}) TO {role}"
                )

    def _grant(self, what: str, where: str, role: str) -> str:
        return f"GRANT{self._on} {what} ON {where} TO {role}"


def _columns(table: str, without: frozenset[str] | set[str]) -> list[str]:
    own = _KNOWN.get(table) or (*columns(table), *POSITION_COLUMNS)
    return [f"`{name}`" for name in own if name not in without]


_KNOWN: Final = {
    "document": (
        "kind", "id", "version", "digest", "published_at", "document", "retired", "signatures", *POSITION_COLUMNS,
    ),
    "repeated": (
        "record_type", "event_id", "topic", "partition", "offset", "broker_time", "event_time", "system", "version",
        "config_digest", "first_topic", "first_partition", "first_offset", "found_at",
    ),
    "migration": ("name", "applied_at"),
}  # fmt: skip
"""What the views read of the tables that hold no record of a system's own, by table."""

_SHOWN: Final = {
    "page": tuple(columns("page")),
    "hold": ("hold_id", "action", "table", "system", "from", "to", "person", "reason", "at"),
    "ledger_commit": (
        "topic", "partition", "first_offset", "next_offset", "count", "dead_letters", "size", "committed_at",
    ),
    "checkpoint": ("origin", "topic", "partition", "tree_size", "root_hash", "note", "created_at"),
}  # fmt: skip
"""What the board shows beside the views: who was told, what is held, and how far the ledger is."""
