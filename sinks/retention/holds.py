"""Legal holds: what must not be removed although its time is over, until somebody lifts it.

A hold is two rows at most, its placing and its lifting; neither is ever changed. What is removed and when is
`sinks.retention.retention`'s affair, which asks here right before it removes anything.
"""

from __future__ import annotations

import polars as pl

from seamwatch.clock import SystemClock
from seamwatch.errors import UsageError
from seamwatch.wire.events import new_event_id
from sinks.columns import TIME
from sinks.store.client import Store, quoted
from sinks.store.questions.holds import Hold, holds


def place_hold(
    store: Store,
    person: str,
    reason: str,
    table: str = "",
    system: str = "",
    start: int | None = None,
    end: int | None = None,
) -> Hold:
    """Place a hold; once this returns, nothing that it covers is removed until it is lifted.

    Only a removal whose last look at the holds was before that may still be carried out. Raises UsageError when it
    would hold nothing, or does not say who wants it and why.
    """
    if start is not None and end is not None and start >= end:
        raise UsageError("a hold that ends before it begins holds nothing: --from must be before --to")
    _demand(person, reason)
    hold = Hold(new_event_id(), table, system, start, end, person, reason, SystemClock().now())
    _note(store, hold, "placed", person, reason, hold.placed_at)
    return hold


def lift_hold(store: Store, hold_id: str, person: str, reason: str) -> Hold:
    """Lift a hold that is in force; returns what it was. Raises UsageError when there is none of this id."""
    _demand(person, reason)
    hold = next((each for each in holds(store) if each.hold_id == hold_id), None)
    if hold is None:
        raise UsageError(f"no hold {hold_id!r} is in force: `seamwatch store hold list` shows those that are")
    _note(store, hold, "lifted", person, reason, SystemClock().now())
    return hold


def holding(store: Store, table: str, partition: int, start: int, end: int) -> Hold | None:
    """The oldest hold that keeps a month of a table, which arrived in [start, end); None when it may go.

    A hold of one system keeps the whole month if a row of that system is in it, or if the table names no system.
    """
    for hold in holds(store):
        if hold.covers(table, start, end) and _has_system(store, table, partition, hold.system):
            return hold
    return None


def _has_system(store: Store, table: str, partition: int, system: str) -> bool:
    if not system:
        return True
    named = store.rows(
        "SELECT count() AS columns FROM system.columns WHERE database = currentDatabase() AND name = 'system' "
        f"AND table IN ({quoted([table])})"
    )
    if not named[0]["columns"]:
        return True
    rows = store.rows(
        f"SELECT 1 FROM {table} WHERE toYYYYMM(broker_time) = {partition} AND system = {{system:String}} LIMIT 1",
        {"system": system},
    )
    return bool(rows)


def _demand(person: str, reason: str) -> None:
    if not person.strip() or not reason.strip():
        raise UsageError("say who wants it (--by) and why (--reason): a hold without them helps nobody later")


def _note(store: Store, hold: Hold, action: str, person: str, reason: str, at: int) -> None:
    frame = pl.DataFrame(
        {
            "hold_id": [hold.hold_id],
            "action": [action],
            "table": [hold.table],
            "system": [hold.system],
            "from": pl.Series([hold.start], dtype=pl.Int64).cast(TIME),
            "to": pl.Series([hold.end], dtype=pl.Int64).cast(TIME),
            "person": [person],
            "reason": [reason],
            "at": pl.Series([at], dtype=pl.Int64).cast(TIME),
        }
    )
    store.insert("hold", frame, f"hold/{hold.hold_id}/{action}")
