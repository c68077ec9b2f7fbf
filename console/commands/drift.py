"""`seamwatch drift`: drift on every model, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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

    Exit 1 when any drifts. A system that no distribution clause watches is `unwatched`, not well; one whose approved
    scores are not complete is `learning`: nothing can be said of it yet.

    Example: seamwatch drift
    """
    from console.asking import ago, auditor, print_lines
    from console.tables import print_table
    from seamwatch.settings import load_settings
    from sinks.store.questions.drift import drift as asked
    from sinks.store.questions.drift import moved
    from sinks.store.questions.names import demand_known
    from sinks.store.questions.rows import records

    with auditor(data) as store:
        rows = asked(store, system)
        if not rows:
            demand_known(store, system=system)
    if as_json:
        print_lines(records(rows))
    else:
        now = load_settings().clock().now()
        print_table(
            ("SYSTEM", "DRIFT", "MOVED", "SINCE", "WHO ACTS", "OWNER", "LAST SEEN"),
            (
                (
                    row.system,
                    row.drift.upper() if row.drifts else row.drift,
                    moved(row),
                    ago(row.since, now) if row.since is not None else "",
                    row.person or "",
                    row.owner or "nobody",
                    ago(row.last_seen, now),
                )
                for row in rows
            ),
            empty=f"{system or 'no system'} has served {'nothing' if system else 'anything'} so far",
        )
    raise typer.Exit(any(row.drifts for row in rows))
