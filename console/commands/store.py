"""`seamwatch store`: the decision store's tables and views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands import store_retention


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(name="store", help="The decision store.", no_args_is_help=True)
    group.callback()(_store)
    group.command()(migrate)
    store_retention.register(group)
    app.add_typer(group)


def _store() -> None:
    """The decision store."""


def migrate(
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a step taken")] = False,
) -> None:
    """Bring the store's tables and views to what this version needs. Forward only, and safe to repeat.

    Creates the database that CLICKHOUSE_URL names. The user must be allowed to create tables.

    Example: CLICKHOUSE_URL=http://writer:secret@clickhouse.example.org:8123/seamwatch seamwatch store migrate
    """
    import json

    from console.reach import reach
    from sinks.migrate import migrate as bring_up_to_date

    taken = bring_up_to_date(reach(data).clickhouse)
    for step in taken:
        print(json.dumps({"step": step}) if as_json else f"applied  {step}")
    if not taken and not as_json:
        print("nothing to do: the store is up to date")
