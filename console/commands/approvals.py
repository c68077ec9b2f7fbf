"""`seamwatch approvals`: who approved what for which use, and what it has served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(approvals)


def approvals(
    system: Annotated[str | None, typer.Option(help="only this system")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object an approval")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say who approved which version for which use case, until when, and what it has served since.

    Exit 1 when a version served events after its approval had expired. What serves without any approval is a violation
    (`seamwatch violations`), and `seamwatch why` tells it of one decision.

    Example: seamwatch approvals --system credit-risk
    """
    from console.asking import ago, auditor, print_lines
    from console.names import demand_known
    from console.tables import print_table
    from seamwatch.settings import load_settings

    where = "" if system is None else "WHERE system = {system:String} "
    with auditor(data) as store:
        rows = store.rows(
            f"SELECT * FROM approvals {where}ORDER BY system, version DESC, use_case, approval_id",
            {} if system is None else {"system": system},
        )
        if not rows:
            demand_known(store, system=system)
    outlived = [bool(row["expires"] and row["last_seen"] and row["last_seen"] > row["expires"]) for row in rows]
    if as_json:
        print_lines(rows)
    else:
        now = load_settings().clock().now()
        print_table(
            ("SYSTEM", "VERSION", "CONFIGURATION", "USE CASE", "APPROVED BY", "ON", "UNTIL", "SERVED", "LAST"),
            (
                (
                    row["system"],
                    row["version"],
                    row["config_digest"],
                    row["use_case"],
                    f"{row['approved_by']} ({row['approval_id']})",
                    str(row["approved_at"] or "?")[:10],
                    ("EXPIRED " if late else "") + str(row["expires"] or "no end")[:10],
                    f"{row['events']:,} events",
                    ago(row["last_seen"], now),
                )
                for row, late in zip(rows, outlived, strict=True)
            ),
            empty="nobody has approved anything" + ("" if system is None else f" of {system}"),
        )
    raise typer.Exit(any(outlived))
