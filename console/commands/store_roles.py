"""`seamwatch store roles`: who may do what in the store, as ClickHouse's DDL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sinks.store.client import Store


def register(store: typer.Typer) -> None:
    """Add the command to `seamwatch store`."""
    store.command()(roles)


def roles(
    team: Annotated[
        list[str] | None, typer.Option(help="also a role that reads this team's systems; may be given again")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="make them on the server that CLICKHOUSE_URL names")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Print the roles of the store with their grants, settings and row policies; with --apply make them.

    Roles: operator, writer, auditor, board, and one a team. Users are yours to make. The store of `seamwatch up` has no
    roles: its engine knows no users, and the server in front of it lets one write and the other read, no more.

    Example: seamwatch store roles --team credit --team payments
    """
    from console.reach import reach
    from seamwatch.settings import load_settings
    from sinks.store.client import Address, Store
    from sinks.store.migrate import cluster_of
    from sinks.store.roles import roles as ddl

    settings = load_settings(data=data)
    url = reach(data).clickhouse if apply else settings.clickhouse or "http://localhost/seamwatch"
    statements = ddl(Address.parse(url).database, team or (), cluster_of(url, settings.cluster))
    if not apply:
        print("".join(f"{statement};\n" for statement in statements), end="")
        return
    with Store(url) as store:
        _demand_roles(store)
        for statement in statements:
            store.command(statement)
    print(f"applied  {len(statements)} statements")


def _demand_roles(store: Store) -> None:
    """Raise UsageError on a server that has nowhere to keep roles, such as the local one."""
    from seamwatch.errors import UsageError
    from sinks.store.questions.server import keeps_roles

    if not keeps_roles(store):
        raise UsageError(
            f"the store at {store.address} cannot keep roles: the local store's engine knows no users (its server has "
            "two, the writer and the auditor, who only reads), and a ClickHouse server needs a writable user "
            "directory (access_control_path). Without --apply the statements are printed"
        )
