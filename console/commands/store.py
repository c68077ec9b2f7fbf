"""`seamwatch store`: the decision store's tables and views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands import store_retention, store_roles


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(name="store", help="The decision store.", no_args_is_help=True)
    group.callback()(_store)
    group.command()(migrate)
    store_retention.register(group)
    store_roles.register(group)
    app.add_typer(group)


def _store() -> None:
    """The decision store."""


def migrate(
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    printed: Annotated[
        bool, typer.Option("--print", help="only print the statements of every step and view; asks no server")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a step taken, or view changed")] = False,
) -> None:
    """Bring the store's tables and views to what this version needs. Forward only, and safe to repeat.

    Steps not taken yet change the tables; then all views are made anew. Those of your own are left alone.
    Creates the database that CLICKHOUSE_URL names. The user must be allowed to create tables. With SEAMWATCH_CLUSTER
    they are replicated and distributed tables on all of that cluster (docs/store.md).

    Example: CLICKHOUSE_URL=http://writer:secret@clickhouse.example.org:8123/seamwatch seamwatch store migrate
    """
    import json

    from console.reach import reach
    from seamwatch.settings import load_settings
    from sinks.store.client import Address
    from sinks.store.migrate import beginning, cluster_of, ddl, ddl_of_views, migrations
    from sinks.store.migrate import migrate as bring_up_to_date

    settings = load_settings(data=data)
    if printed:
        url = settings.clickhouse or "http://localhost/seamwatch"
        cluster = cluster_of(url, settings.cluster)
        for statement in beginning(Address.parse(url).database, cluster):
            print(f"{statement};\n")
        for step in migrations():
            print(f"-- {step.number:04d}_{step.name}\n")
            print("".join(f"{statement};\n\n" for statement in ddl(step, cluster)), end="")
        print("-- views\n")
        print("".join(f"{statement};\n\n" for statement in ddl_of_views(cluster)), end="")
        return
    taken = bring_up_to_date(reach(data).clickhouse, settings.cluster)
    for name in taken:
        print(json.dumps({"step": name}) if as_json else f"applied  {name}")
    if not taken and not as_json:
        print("up to date: no step to take, no view changed; all views were made anew")
