"""Which keys were destroyed on request, so that what they sealed cannot be read any more, by whom and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Erasure:
    """One key that was destroyed; ``key_id`` in hex."""

    key_id: str
    person: str
    erased_at: Micros
    reason: str | None


_ERASURES: Final = f"SELECT {columns(Erasure)} FROM erasures WHERE key_id IN {{ids:Array(String)}} ORDER BY key_id"


def erasures(store: Store, key_ids: Collection[str]) -> list[Erasure]:
    """The erasures of these keys that are on record."""
    return rows(store, Erasure, _ERASURES, {"ids": list(key_ids)}) if key_ids else []
