"""What events hold, field by field, as they were recorded: what is sealed is sealed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from seamwatch.record_types import INPUT_TYPES
from sinks.columns import columns
from sinks.store.questions.rows import Micros, micros

if TYPE_CHECKING:
    from sinks.store.client import Store

_BY_RIGHT: Final = ("attributes", "arguments")
"""What whoever may not see everything is not shown, as in the store's roles; and neither the raw bytes."""
_POSITION: Final = ("topic", "partition", "offset")
_OF: Final = "WHERE event_id IN {ids:Array(String)} ORDER BY event_time, broker_time, offset LIMIT 1 BY event_id"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event that is given; ``is_time``: its value is micros."""

    name: str
    value: Any
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was recorded first; ``raw`` are its bytes, None for whoever may not see them."""

    type: str
    event_id: str
    event_time: Micros
    fields: tuple[Field, ...]
    topic: str
    partition: int
    offset: int
    raw: bytes | None = None

    def get(self, name: str) -> Any:
        """The value of a field; None where it is not given."""
        return next((field.value for field in self.fields if field.name == name), None)


def recorded(store: Store, record_type: str, event_ids: Collection[str], *, everything: bool) -> list[Recorded]:
    """The events of these ids among those of one input type, by their time; with everything that they hold, or not."""
    if record_type not in INPUT_TYPES or not event_ids:
        return []
    names = [name for name in columns(record_type) if everything or name not in _BY_RIGHT]
    asked = [*names, *_POSITION, *(("raw",) if everything else ())]
    sql = f"SELECT {', '.join(f'`{name}`' for name in asked)} FROM {record_type} {_OF}"
    found = store.rows(sql, {"ids": list(event_ids)})
    return [_recorded(record_type, names, row) for row in found]


def _recorded(record_type: str, names: Collection[str], row: dict[str, Any]) -> Recorded:
    fields = tuple(
        _field(name, row[name])
        for name in names
        if name not in ("event_id", "event_time") and row[name] not in (None, "", [], ())
    )
    raw = row.get("raw")
    return Recorded(
        record_type,
        row["event_id"],
        micros(row["event_time"]),
        fields,
        row["topic"],
        row["partition"],
        row["offset"],
        raw.encode("latin-1", "replace") if isinstance(raw, str) else raw,
    )


def _field(name: str, value: Any) -> Field:
    if isinstance(value, datetime):
        return Field(name, micros(value), is_time=True)
    return Field(name, value)
