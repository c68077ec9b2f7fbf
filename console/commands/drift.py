"""`seamwatch drift`: drift on every model, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drift)


def drift(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a system")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say of every system that serves whether its scores still look like those approved, the worst first.

    Exit 1 when any drifts. A system that no distribution clause watches is `unwatched`, not well.

    Example: seamwatch drift
    """
    from console.asking import ago, auditor, print_lines
    from console.names import demand_known
    from console.tables import print_table
    from seamwatch.settings import load_settings

    where = "" if system is None else "WHERE system = {system:String} "
    order = "ORDER BY indexOf(['drifting', 'unwatched', 'steady'], drift), system"
    with auditor(data) as store:
        rows = store.rows(f"SELECT * FROM drift_now {where}{order}", {} if system is None else {"system": system})
        if not rows:
            demand_known(store, system=system)
    if as_json:
        print_lines(rows)
    else:
        now = load_settings().clock().now()
        print_table(
            ("SYSTEM", "DRIFT", "MOVED", "SINCE", "WHO ACTS", "OWNER", "LAST SEEN"),
            (
                (
                    row["system"],
                    row["drift"].upper() if row["drift"] == "drifting" else row["drift"],
                    _moved(row),
                    ago(row["since"], now) if row["since"] else "",
                    row["person"] or "",
                    row["owner"] or "nobody",
                    ago(row["last_seen"], now),
                )
                for row in rows
            ),
            empty=f"{system or 'no system'} has served {'nothing' if system else 'anything'} so far",
        )
    raise typer.Exit(any(row["drift"] == "drifting" for row in rows))


def _moved(row: dict[str, Any]) -> str:
    if row["observed"] is None:
        return ""
    agreed = "" if row["limit"] is None else f", agreed {row['limit']:g}"
    return f"{row['observed']:g}{agreed} {row['unit'] or ''}".rstrip()
