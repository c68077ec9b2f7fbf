"""Asking the store: the auditor's connection of a command, and answers in the reader's words.

Reading only. Which system is asked, `console.reach` finds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from console.reach import reach
from seamwatch.durations import format_duration
from seamwatch.errors import UnreachableError
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.client import Store
from sinks.store.migrate import is_empty, is_ready


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


def print_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print records as NDJSON."""
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


def ago(micros: int | None, now: int) -> str:
    """A time as a person says it: how long ago for what is within two days, else the time; ``never`` for none."""
    if micros is None:
        return "never"
    passed = now - micros
    return f"{format_duration(passed)} ago" if 0 <= passed < 2 * 86_400_000_000 else moment_text(micros)
