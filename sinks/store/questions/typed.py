"""What a person asks in SQL of their own: its answer as texts, row by row, and as CSV that no spreadsheet runs.

Nothing here keeps anybody from asking anything: the store's user does, who only reads.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.errors import StoreError, UsageError

if TYPE_CHECKING:
    from sinks.store.client import Store

_FORM: Final = "JSONCompactStringsEachRowWithNamesAndTypes"
_OWN_FORMAT: Final = re.compile(r"\bFORMAT\s+\w+\s*$", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_CSV_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer; ``type`` is ClickHouse's."""

    name: str
    type: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        inner = self.type.removeprefix("Nullable(").removeprefix("LowCardinality(")
        return inner.startswith(("Int", "UInt", "Float", "Decimal"))


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of an answer, each value as text, None for NULL; ``more``: there are others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    more: bool


def answer(store: Store, sql: str, limit: int) -> Answer:
    """The first rows of what somebody asks. Raises UsageError for no statement, StoreError and UnreachableError."""
    found = _Lines(store, sql)
    rows: list[tuple[str | None, ...]] = []
    more = False
    for row in found:
        if len(rows) == limit:
            more = True
            break
        rows.append(row)
    found.close()
    return Answer(found.columns, tuple(rows), more)


def csv_of(store: Store, sql: str) -> Iterator[bytes]:
    """All of it as CSV, piece by piece; a cell that a spreadsheet would run begins with an apostrophe.

    The first piece is there when the store has begun to answer. Raises as `answer` does.
    """
    found = _Lines(store, sql)
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow([_guarded(column.name) for column in found.columns])
    for count, row in enumerate(found, 1):
        writer.writerow(["" if value is None else _guarded(value) for value in row])
        if count % _CSV_ROWS == 0:
            yield _taken(held)
    yield _taken(held)


def _taken(held: io.StringIO) -> bytes:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text.encode("utf-8", "replace")


def _guarded(text: str) -> str:
    # A plain number is none that a spreadsheet runs, whatever its sign.
    return f"'{text}" if text.startswith(_FORMULAS) and not _NUMBER.fullmatch(text) else text


class _Lines:
    """The rows of an answer; its columns are known once it is made."""

    def __init__(self, store: Store, sql: str) -> None:
        statement = sql.strip().rstrip(";").strip()
        if not statement:
            raise UsageError("there is no SQL to run: write one statement, such as SELECT * FROM inventory")
        if _OWN_FORMAT.search(statement):
            raise UsageError("leave out FORMAT: rows are shown as a table here, and given as CSV")
        # On a line of its own, so that a comment at the end of the statement does not hide the format.
        self._lines = store.lines(f"{statement}\n", _FORM)
        names = self._next()
        types = self._next()
        self.columns = tuple(Column(str(name), str(kind)) for name, kind in zip(names or (), types or (), strict=True))

    def __iter__(self) -> Iterator[tuple[str | None, ...]]:
        while (row := self._next()) is not None:
            yield row

    def close(self) -> None:
        """End the answer."""
        close = getattr(self._lines, "close", None)
        if close is not None:
            close()

    def _next(self) -> tuple[str | None, ...] | None:
        line = next(self._lines, None)
        if line is None or not line.strip():
            return None
        text = line.decode("utf-8", "replace")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise StoreError(f"the store ended its answer: {text[:2_000]}")
        return tuple(None if value is None else str(value) for value in found)
