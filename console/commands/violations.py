"""`seamwatch violations`: every episode, in its latest state."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.judging.facts import Violation
    from sinks.store import Store

SHOWN = 100
_TIMES = ("opened_at", "since", "detected_at", "acknowledged_at", "resolved_at")
_INDENT = " " * 9


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(violations)


def violations(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="only what is not resolved")] = False,
    since: Annotated[str | None, typer.Option(help="opened since: a duration (24h) or a time (RFC 3339)")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"at most so many, the latest first  [default: {SHOWN}; with --json all]"),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="go on after this violation (its id), or with those opened before this time")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object an episode, as `replay` prints them")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List violations, the latest first. Exit 1 when there are any, 0 when none.

    When there are more than it shows, it says how many, and how to see the next (with --json on standard error).

    Example: seamwatch violations --open --since 24h
    """
    from console.asking import auditor
    from console.moments import moment_of
    from console.names import demand_known
    from seamwatch.judging.text import violation_line
    from seamwatch.settings import load_settings

    now = load_settings().clock().now()
    most = limit if limit is not None or as_json else SHOWN
    conditions, values = ["1"], dict[str, Any]()
    if system is not None:
        conditions.append("system = {system:String}")
        values["system"] = system
    if only_open:
        conditions.append("state != 'resolved'")
    if (opened := moment_of("--since", since)) is not None:
        conditions.append("opened_at >= fromUnixTimestamp64Micro({since:Int64})")
        values["since"] = str(opened)
    with auditor(data) as store:
        if before is not None:
            conditions.append(_older(store, before, values))
        where = " AND ".join(conditions)
        first = "" if most is None else f" LIMIT {most}"
        rows = store.rows(
            f"SELECT * FROM violations WHERE {where} ORDER BY opened_at DESC, violation_id{first}", values
        )
        if not rows:
            demand_known(store, system=system)
        (counted,) = store.rows(f"SELECT count() AS found FROM violations WHERE {where}", values)
    found = [_violation(row) for row in rows]
    if as_json:
        for violation in found:
            print(violation_line(violation))
    else:
        _print(found, now)
    if counted["found"] > len(found):
        print(
            f"{len(found):,} of {counted['found']:,}; --before {found[-1].violation_id} goes on",
            file=sys.stderr if as_json else sys.stdout,
        )
    raise typer.Exit(bool(found))


def _older(store: Store, before: str, values: dict[str, Any]) -> str:
    """The condition of what comes after a violation in the list, or was opened before a time."""
    from console.moments import moment_of
    from seamwatch.errors import SeamwatchError, UsageError

    last = store.rows(
        "SELECT violation_id, toUnixTimestamp64Micro(opened_at) AS opened FROM violations "
        "WHERE violation_id = {last:String}",
        {"last": before},
    )
    if last:
        values["opened"], values["last"] = str(last[0]["opened"]), before
        opened = "fromUnixTimestamp64Micro({opened:Int64})"
        return f"(opened_at < {opened} OR (opened_at = {opened} AND violation_id > {{last:String}}))"
    try:
        values["opened"] = str(moment_of("--before", before))
    except UsageError:
        raise SeamwatchError(
            f"--before {before}: no violation of this id is on record, and it is no time: write the whole id of the "
            "last one that was shown, a duration such as 24h, or a time such as 2026-03-02T10:00:00Z"
        ) from None
    return "opened_at < fromUnixTimestamp64Micro({opened:Int64})"


def _violation(row: dict[str, Any]) -> Violation:
    from console.asking import micros_of
    from seamwatch.wire.values import violation_of

    times = {name: micros_of(row[name]) for name in _TIMES}
    return violation_of({**row, **times})


def _print(found: list[Violation], now: int) -> None:
    """Three lines each, since a sentence does not fit into a column."""
    from console.tables import print_text

    for v in found:
        place = v.system if v.slice in (None, v.system) else f"{v.system} / {v.slice}"
        head = f"{v.severity.upper():<7}  {v.state:<12}"
        print_text(f"{head}  {place}  {_standing(v, now)}", further=_INDENT)
        print_text(v.summary, indent=_INDENT)
        print_text(f"{v.violation_id}  {v.contract}@{v.contract_version}, clause {v.clause}", indent=_INDENT)
    if not found:
        print("no violations")


def _standing(v: Violation, now: int) -> str:
    """Since when, and who has to act; of what is over nobody has."""
    from console.asking import ago

    def told(micros: int) -> str:
        return ago(datetime.fromtimestamp(micros / 1_000_000, UTC), now)

    if v.resolved_at is not None:
        return f"from {told(v.since or v.opened_at)}, over since {told(v.resolved_at)}" + (
            f", taken on by {v.acknowledged_by}" if v.acknowledged_by else ""
        )
    acting = f"taken on by {v.acknowledged_by}" if v.acknowledged_by else f"{v.person or 'nobody'} must act"
    return f"since {told(v.since or v.opened_at)}, {acting}"
