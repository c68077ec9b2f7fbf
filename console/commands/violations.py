"""`seamwatch violations`: every episode, in its latest state."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.judging.facts import Violation

_TIMES = ("opened_at", "since", "detected_at", "acknowledged_at", "resolved_at")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(violations)


def violations(
    system: Annotated[str | None, typer.Option(help="only of this system")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="only what is not resolved")] = False,
    since: Annotated[str | None, typer.Option(help="opened since: a duration (24h) or a time (RFC 3339)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object an episode, as `replay` prints them")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List violations, the latest first. Exit 1 when there are any, 0 when none.

    Example: seamwatch violations --open --since 24h
    """
    from console.asking import auditor
    from console.moments import moment_of
    from seamwatch.judging.text import violation_line
    from seamwatch.settings import load_settings

    now = load_settings().clock().now()
    conditions, values = ["1"], {}
    if system is not None:
        conditions.append("system = {system:String}")
        values["system"] = system
    if only_open:
        conditions.append("state != 'resolved'")
    if (opened := moment_of("--since", since)) is not None:
        conditions.append("opened_at >= fromUnixTimestamp64Micro({since:Int64})")
        values["since"] = str(opened)
    sql = f"SELECT * FROM violations WHERE {' AND '.join(conditions)} ORDER BY opened_at DESC, violation_id"
    with auditor(data) as store:
        found = [_violation(row) for row in store.rows(sql, values)]
    if as_json:
        for violation in found:
            print(violation_line(violation))
    else:
        _print(found, now)
    raise typer.Exit(bool(found))


def _violation(row: dict[str, Any]) -> Violation:
    from console.asking import micros_of
    from seamwatch.wire.values import violation_of

    times = {name: micros_of(row[name]) for name in _TIMES}
    return violation_of({**row, **times})


def _print(found: list[Violation], now: int) -> None:
    """Three lines each, since a sentence does not fit into a column."""
    from console.asking import ago

    for v in found:
        place = v.system if v.slice in (None, v.system) else f"{v.system} / {v.slice}"
        since = ago(datetime.fromtimestamp((v.since or v.opened_at) / 1_000_000, UTC), now)
        acting = f"taken on by {v.acknowledged_by}" if v.acknowledged_by else f"{v.person or 'nobody'} must act"
        print(f"{v.severity.upper():<7}  {v.state:<12}  {place}  since {since}, {acting}")
        print(f"         {v.summary}")
        print(f"         {v.violation_id}  {v.contract}@{v.contract_version}, clause {v.clause}")
    if not found:
        print("no violations")
