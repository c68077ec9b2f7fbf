"""Episodes of a replay: the last state of each, however many there are, in the order in which they are told.

Kept in memory while there are few, and in a temporary database beyond that.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from seamwatch.judging.model.facts import Violation

HELD = 20_000
_TABLE = """
CREATE TABLE episode (id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, violation BLOB NOT NULL) WITHOUT ROWID
"""


class Episodes:
    """Takes states of episodes in, and gives the last of each. ``held`` of them are kept in memory."""

    def __init__(self, held: int = HELD) -> None:
        self._limit = held
        self._latest: dict[str, Violation] = {}
        self._table: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._table is not None:
            self._table.close()

    def add(self, violations: Iterable[Violation]) -> None:
        """Take states in, later ones after earlier ones."""
        for violation in violations:
            self._latest[violation.violation_id] = violation
        if len(self._latest) >= self._limit:
            self._write()

    def in_order(self) -> Iterator[Violation]:
        """The last state of each episode, by opening time and id."""
        if self._table is None:
            yield from sorted(self._latest.values(), key=lambda v: (v.opened_at, v.violation_id))
            return
        self._write()
        for (state,) in self._table.execute("SELECT violation FROM episode ORDER BY opened_at, id"):
            yield pickle.loads(state)  # noqa: S301 - written by this process, into a file that nobody else can open

    def _write(self) -> None:
        if self._table is None:
            # An empty name is a file of SQLite's own in the temporary folder, deleted as soon as it is open.
            self._table = sqlite3.connect("", isolation_level=None)
            self._table.execute(_TABLE)
        rows = ((v.violation_id, v.opened_at, pickle.dumps(v)) for v in self._latest.values())
        self._table.execute("BEGIN")
        self._table.executemany("INSERT OR REPLACE INTO episode VALUES (?, ?, ?)", rows)
        self._table.execute("COMMIT")
        self._latest = {}
