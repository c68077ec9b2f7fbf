"""Sought: where the one record is that somebody wants proven, by what people call it: an id, a key, a position.

SELECT only; whether what is there is what was signed, `sinks.ledger.evidence` finds out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bus.partitions import Partition
from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.documents.signing import VERSIONED
from seamwatch.errors import SeamwatchError, UsageError
from sinks.ledger.rows import tables_with
from sinks.store.client import Store
from sinks.store.conditions import of_place

_HERE = "topic, partition, offset"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a row of the record is."""

    table: str
    place: Partition
    offset: int


def event(store: Store, event_id: str) -> Found:
    """The first record of an event, by topic, partition and offset."""
    tables = tables_with(store, "raw", "offset", "headers", "event_id")
    parts = (f"SELECT '{table}' AS name, {_HERE} FROM {table} WHERE event_id = {{id:String}}" for table in tables)
    sql = f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {_HERE} LIMIT 1"
    return _only(store, sql, {"id": event_id}, f"no event with event_id {event_id!r} is on record")


def violation(store: Store, violation_id: str, state: str | None = None) -> Found:
    """The newest record of a violation, or the newest in which it has this state."""
    condition, said = ("", "") if state is None else (" AND state = {state:String}", f" in the state {state!r}")
    sql = f"SELECT 'violation' AS name, {_HERE} FROM violation WHERE violation_id = {{id:String}}{condition} {_NEWEST}"
    named = {"id": violation_id} | ({} if state is None else {"state": state})
    return _only(store, sql, named, f"no violation {violation_id!r}{said} is on record")


def notice(store: Store, notice_id: str) -> Found:
    """The record of a notice."""
    sql = f"SELECT 'notice' AS name, {_HERE} FROM notice WHERE notice_id = {{id:String}} {_NEWEST}"
    return _only(store, sql, {"id": notice_id}, f"no notice {notice_id!r} is on record")


def page(store: Store, about: str, step: int | None = None) -> Found:
    """The first page about a violation or a notice that was delivered; the first attempt where none was.

    With a ``step``, of that step of the escalation list.
    """
    condition, said = ("", "") if step is None else (" AND step = {step:Int32}", f" of step {step}")
    sql = (
        f"SELECT 'page' AS name, {_HERE} FROM page WHERE violation_id = {{id:String}} AND news = 'trigger'{condition} "
        "ORDER BY result != 'delivered', sent_at, broker_time, offset LIMIT 1"
    )
    named: dict[str, Any] = {"id": about} | ({} if step is None else {"step": step})
    return _only(store, sql, named, f"no page{said} about {about!r} is on record")


def erasure(store: Store, key_id: str) -> Found:
    """The first record that a subject's key was destroyed."""
    first = "ORDER BY broker_time, offset LIMIT 1"
    sql = f"SELECT 'erasure' AS name, {_HERE} FROM erasure WHERE key_id = {{id:String}} {first}"
    return _only(store, sql, {"id": key_id.lower()}, f"no erasure of the key {key_id!r} is on record")


def document(store: Store, name: str) -> Found:
    """The newest publication of a document, ``Contract/credit@2`` or ``Person/ann@example.org``.

    Of a contract without a version the newest of all. What was only ever withdrawn is found by its withdrawal. Raises
    UsageError for a name that is none.
    """
    kind, _, identity = name.partition("/")
    if kind not in DOCUMENT_KINDS or not identity:
        raise UsageError(
            f"{name!r} names no document: write Person/<id>, System/<id>, Rota/<id>, Contract/<id>@<version> or "
            "RiskPolicy/<id>@<version>"
        )
    of, _, version = identity.rpartition("@")
    named = {"kind": kind, "id": identity, "of": of, "version": version}
    whole = "id = {id:String}"
    either = (
        f"({whole} OR (id = {{of:String}} AND version = {{version:String}}))" if kind in VERSIONED and of else whole
    )
    sql = (
        f"SELECT 'document' AS name, {_HERE} FROM document WHERE kind = {{kind:String}} AND {either} "
        "ORDER BY retired, broker_time DESC, offset DESC LIMIT 1"
    )
    return _only(store, sql, named, f"no document {name} is on record")


def record(store: Store, where: str) -> Found:
    """The record at a position, ``<topic>/<partition>/<offset>``, dead letters too. UsageError where it is none."""
    topic, _, rest = where.partition("/")
    partition, _, offset = rest.partition("/")
    if not topic or not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in (partition, offset)):
        raise UsageError(f"{where!r} is no position: write <topic>/<partition>/<offset>")
    place = (topic, int(partition))
    parts = (
        f"SELECT '{table}' AS name, {_HERE} FROM {table} WHERE {of_place(place)} AND offset = {int(offset)}"
        for table in tables_with(store, "raw", "offset", "headers")
    )
    return _only(store, f"SELECT * FROM ({' UNION ALL '.join(parts)}) LIMIT 1", {}, f"nothing at {where} is on record")


_NEWEST = "ORDER BY broker_time DESC, offset DESC LIMIT 1"


def _only(store: Store, sql: str, named: Mapping[str, Any], otherwise: str) -> Found:
    rows = store.rows(sql, named)
    if not rows:
        raise SeamwatchError(f"{otherwise}: it may not have arrived yet")
    return Found(rows[0]["name"], (rows[0]["topic"], rows[0]["partition"]), rows[0]["offset"])
