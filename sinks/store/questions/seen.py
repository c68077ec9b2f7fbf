"""Which versions and configurations of systems were seen in traffic, and for which uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, Where, columns, rows, values_of

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of a system with one configuration; ``seen_as`` is model, agent or dataset, by its events."""

    system: str
    seen_as: str
    version: str
    config_digest: str | None
    events: int
    first_seen: Micros
    last_seen: Micros


_USES: Final = "SELECT DISTINCT CAST(use_case, 'String') AS name FROM inference WHERE system = {system:String}"


def seen(store: Store, system: str | None = None) -> list[Seen]:
    """All that was seen, or of one system; what was seen last first."""
    where = Where()
    where.equal(system=system)
    where.add("events > 0")
    order = "ORDER BY last_seen DESC, system, version, config_digest"
    return rows(store, Seen, f"SELECT {columns(Seen)} FROM traffic {where} {order}", where.values)


def use_cases(store: Store, system: str) -> tuple[str, ...]:
    """What a system was asked for, by name; empty where its events do not say."""
    found = values_of(store, f"{_USES} AND use_case != '' ORDER BY name LIMIT 100", {"system": system})
    return tuple(row["name"] for row in found)
