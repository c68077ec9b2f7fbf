"""Which ClickHouse answers, and whether it keeps roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinks.store.client import Store


def version(store: Store) -> str:
    """The version of the server."""
    ((found,),) = (row.values() for row in store.rows("SELECT version() AS version"))
    return str(found)


def keeps_roles(store: Store) -> bool:
    """Whether it has somewhere to keep roles, which the local server has not."""
    places = store.rows("SELECT type FROM system.user_directories")
    return not all(row["type"] in ("users_xml", "users.xml") for row in places)
