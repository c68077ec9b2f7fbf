"""What is running, whether somebody declared it or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Running:
    """A system that was seen in traffic or is declared; empty texts where nothing says more."""

    system: str
    type: str
    owner: str
    team: str
    versions: tuple[str, ...]
    config_digests: tuple[str, ...]
    events: int
    first_seen: Micros | None
    last_seen: Micros | None
    registered: bool
    last_review: Micros | None


def inventory(store: Store, system: str | None = None, *, unregistered: bool = False) -> list[Running]:
    """Every system, or one, first what nobody declared; or only that."""
    where = Where()
    where.equal(system=system)
    if unregistered:
        where.add("NOT registered")
    asked = f"SELECT {columns(Running)} FROM inventory {where} ORDER BY registered, system"
    return rows(store, Running, asked, where.values)


def owned_by(running: Running) -> str:
    """Who owns it, in a word."""
    return running.owner or ("nobody" if running.registered else "UNREGISTERED")
