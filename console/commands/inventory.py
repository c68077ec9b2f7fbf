"""`seamwatch inventory`: what is running, whether somebody declared it or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(inventory)


def inventory(
    unregistered: Annotated[bool, typer.Option("--unregistered", help="only what nobody declared")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a system")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """List every system that was seen in traffic or is declared, with its owner, versions and last review.

    What is suspended is told below them. With --unregistered, exit 1 when there is any.

    Example: seamwatch inventory --unregistered
    """
    from console.asking import ago, auditor, print_lines
    from console.tables import print_table, print_text
    from seamwatch.settings import load_settings
    from sinks.store.questions.inventory import inventory as asked
    from sinks.store.questions.inventory import owned_by
    from sinks.store.questions.rows import record, records
    from sinks.store.questions.suspended import sentence, suspended_now

    now = load_settings().clock().now()
    with auditor(data) as store:
        found = asked(store, unregistered=unregistered)
        listed = {row.system for row in found}
        stopped = [row for row in suspended_now(store, now) if row.system in listed]
    if as_json:
        print_lines(record(row) | {"suspended": records(s for s in stopped if s.system == row.system)} for row in found)
    else:
        print_table(
            ("SYSTEM", "TYPE", "OWNER", "TEAM", "VERSIONS", "EVENTS", "LAST SEEN", "LAST REVIEW"),
            (
                (
                    row.system,
                    row.type or "unknown",
                    owned_by(row),
                    row.team,
                    ", ".join(row.versions[:3]) + (" …" if len(row.versions) > 3 else ""),
                    f"{row.events:,}",
                    ago(row.last_seen, now),
                    ago(row.last_review, now),
                )
                for row in found
            ),
            empty="nothing is declared, and nothing was seen in traffic so far",
        )
        for each in stopped:
            print_text(sentence(each))
    raise typer.Exit(bool(unregistered and found))
