"""Which episodes are on record, each in its latest state, and who has to act.

The rows are violations as the topics carry them (`seamwatch.judging.model.facts.Violation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.judging.records import violation_of
from sinks.store.questions.rows import Micros, Where, columns, count, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinks.store.client import Store

EXAMPLE: Final = "SELECT * FROM violations"
"""What a person may ask first, by any client of ClickHouse."""
_EPISODES: Final = f"SELECT {columns(Violation)} FROM violations"
_LATEST_FIRST: Final = "ORDER BY opened_at DESC, violation_id"
_OPENED: Final = "fromUnixTimestamp64Micro({opened:Int64}, 'UTC')"
_IN_EVIDENCE: Final = "arrayExists(e -> e.event_id = {event:String}, evidence)"


@dataclass(frozen=True, slots=True)
class Before:
    """Where a list goes on: with those opened before a time, or after an episode that was opened then."""

    opened_at: Micros
    violation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which episodes are asked for; what is None asks nothing."""

    system: str | None = None
    unresolved: bool = False
    since: Micros | None = None
    """Opened since."""
    before: Before | None = None
    contract: str | None = None
    clause: str | None = None
    drills: bool = True
    """Drills as well, in which nothing was broken."""


def episodes(store: Store, wanted: Wanted, limit: int | None = None) -> list[Violation]:
    """Those that are wanted, the latest first; the first ``limit`` of them."""
    where = _where(wanted)
    most = ""
    if limit is not None:
        most = " LIMIT {limit:UInt64}"
        where.values["limit"] = limit
    return _answer(store, f"{_EPISODES} {where} {_LATEST_FIRST}{most}", where.values)


def number(store: Store, wanted: Wanted) -> int:
    """How many are wanted, whatever the limit."""
    where = _where(wanted)
    return count(store, f"SELECT count() FROM violations {where}", where.values)


def episode(store: Store, violation_id: str) -> Violation | None:
    """The one of this id; None when none is on record."""
    sql = f"{_EPISODES} WHERE violation_id = {{violation:String}}"
    return next(iter(_answer(store, sql, {"violation": violation_id})), None)


def caused_by(store: Store, event_id: str) -> list[Violation]:
    """Those that name an event as evidence, the oldest first."""
    return _answer(store, f"{_EPISODES} WHERE {_IN_EVIDENCE} ORDER BY opened_at", {"event": event_id})


def acting(violation: Violation) -> str:
    """Who took it on, or must act; of what is over nobody must."""
    if violation.acknowledged_by:
        return f"taken on by {violation.acknowledged_by}"
    return f"{violation.person or 'nobody'} must act"


def standing(violation: Violation) -> str:
    """What an episode asks of whom; of what is over nobody has to act any more."""
    if violation.state == "resolved":
        over = "?" if violation.resolved_at is None else format_instant(violation.resolved_at)
        return f"over since {over}"
    return f"{violation.state}, {acting(violation)}"


def _where(wanted: Wanted) -> Where:
    where = Where()
    where.equal(system=wanted.system, contract=wanted.contract, clause=wanted.clause)
    if not wanted.drills:
        where.add("severity != {drill:String}", drill=DRILL)
    if wanted.unresolved:
        where.add("state != 'resolved'")
    where.since("opened_at", wanted.since)
    if (before := wanted.before) is not None:
        if before.violation_id is None:
            where.add(f"opened_at < {_OPENED}", opened=str(before.opened_at))
        else:
            where.add(
                f"(opened_at < {_OPENED} OR (opened_at = {_OPENED} AND violation_id > {{last:String}}))",
                opened=str(before.opened_at),
                last=before.violation_id,
            )
    return where


def _answer(store: Store, sql: str, values: Mapping[str, Any]) -> list[Violation]:
    return [violation_of(row) for row in values_of(store, sql, values)]
