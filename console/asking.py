"""Asking the store: the auditor's connection of a command, and answers in the reader's words.

Reading only. Which system is asked, `console.reach` finds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from console.reach import reach
from seamwatch.durations import format_duration
from seamwatch.errors import UnreachableError
from seamwatch.instants import format_instant
from seamwatch.judging.wording import moment_text
from sinks.migrate import is_empty, is_ready
from sinks.store import Store


def auditor(data: Path | None) -> Store:
    """The store, to be asked read-only. Raises UnreachableError until it answers and has its tables and views."""
    store = Store(reach(data).auditor, timeout=600, reading=True)
    if not is_ready(store):
        raise _not_ready(store)
    return store


def auditor_as_it_is(data: Path | None) -> Store:
    """The store to read from, whatever was done to its tables. Raises UnreachableError where it has none at all yet."""
    store = Store(reach(data).auditor, timeout=600, reading=True)
    if is_empty(store):
        raise _not_ready(store)
    return store


def _not_ready(store: Store) -> UnreachableError:
    return UnreachableError(
        f"the store at {store.address} has no tables of this version yet: run `seamwatch store migrate`, or wait"
        " until `seamwatch up` says that it is ready"
    )


def micros_of(moment: datetime | None) -> int | None:
    """A time as the store answers it, in micros."""
    if moment is None:
        return None
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for JSON: times as RFC 3339 to the microsecond."""
    return {name: _plain(value) for name, value in row.items()}


def print_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as NDJSON."""
    for row in rows:
        print(json.dumps(plain(row), ensure_ascii=False))


def ago(moment: datetime | None, now: int) -> str:
    """A time as a person says it: how long ago for what is within two days, else the time; ``never`` for none."""
    micros = micros_of(moment)
    if micros is None:
        return "never"
    passed = now - micros
    return f"{format_duration(passed)} ago" if 0 <= passed < 2 * 86_400_000_000 else moment_text(micros)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(micros_of(value) or 0)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value
