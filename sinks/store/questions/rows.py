"""Rows: the answer to a question as frozen values, and such a value as a record for JSON. Knows no question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_type_hints

from seamwatch.instants import format_instant

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from sinks.store.client import Store

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = "a time"
Micros: TypeAlias = Annotated[int, _TIME]
"""A time: microseconds since 1970, UTC. A field of this type is RFC 3339 in a record for JSON."""

Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(slots=True)
class Where:
    """Conditions that all hold, and the parameters that they name."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **values: Any) -> None:
        """One condition more, with the parameters that it names."""
        self.conditions.append(condition)
        self.values |= values

    def equal(self, **values: str | None) -> None:
        """Each of these columns has this text; None asks nothing of it."""
        for name, value in values.items():
            if value is not None:
                self.add(f"{name} = {{{name}:String}}", **{name: value})

    def since(self, column: str, moment: Micros | None) -> None:
        """A time is this one or a later one; None asks nothing of it."""
        if moment is not None:
            self.add(f"{column} >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC')", since=str(moment))

    def until(self, column: str, moment: Micros | None) -> None:
        """A time is before this one; None asks nothing of it."""
        if moment is not None:
            self.add(f"{column} < fromUnixTimestamp64Micro({{until:Int64}}, 'UTC')", until=str(moment))

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def columns(row: type[DataclassInstance]) -> str:
    """The columns that a row is made of, for a SELECT."""
    return ", ".join(f"`{each.name}`" for each in fields(row))


def rows(store: Store, row: type[Row], sql: str, values: Mapping[str, Any] | None = None) -> list[Row]:
    """The answer to SQL whose columns are the fields of a row. Raises StoreError or UnreachableError."""
    return [row(**found) for found in values_of(store, sql, values)]


def values_of(store: Store, sql: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The same for what is made into rows elsewhere: values by column, times as micros, arrays as tuples."""
    return [{name: _held(value) for name, value in row.items()} for row in store.rows(sql, values)]


def count(store: Store, sql: str, values: Mapping[str, Any] | None = None) -> int:
    """The one number that SQL answers with. Raises StoreError or UnreachableError."""
    ((found,),) = (row.values() for row in store.rows(sql, values))
    return int(found)


def record(row: DataclassInstance) -> dict[str, Any]:
    """A row for JSON: its fields in their order, times as RFC 3339 to the microsecond."""
    times = _times(type(row))
    return {
        each.name: _plain(value) if each.name not in times or value is None else format_instant(value)
        for each in fields(row)
        for value in (getattr(row, each.name),)
    }


def records(answer: Iterable[DataclassInstance]) -> list[dict[str, Any]]:
    """Rows for JSON, each as `record` writes it."""
    return [record(row) for row in answer]


@cache
def _times(row: type[DataclassInstance]) -> frozenset[str]:
    """The fields that are times."""
    hints = get_type_hints(row, include_extras=True)
    return frozenset(
        name for name, hint in hints.items() if hint == Micros or any(arm == Micros for arm in get_args(hint))
    )


def micros(moment: datetime) -> Micros:
    """A time as the store's client answers it, as micros."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _held(value: Any) -> Any:
    if isinstance(value, datetime):
        return micros(value)
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
