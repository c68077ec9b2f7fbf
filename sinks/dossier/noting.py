"""Noting: a store that keeps the SQL that it was asked, with its parameters, so that a reader can ask the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from sinks.dossier.values import line
from sinks.store.client import Store


class NotingStore(Store):
    """A store that is asked as any other; ``taken`` gives what was asked since."""

    def __init__(self, url: str, *, timeout: float = 300.0) -> None:
        super().__init__(url, timeout=timeout, reading=True)
        self._asked: dict[str, tuple[Mapping[str, Any], int]] = {}

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """As a store answers it."""
        self._note(sql, parameters)
        return super().rows(sql, parameters)

    def frame(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, exact_bytes: bool = False
    ) -> pl.DataFrame:
        """As a store answers it."""
        self._note(sql, parameters)
        return super().frame(sql, parameters, exact_bytes=exact_bytes)

    def taken(self) -> str:
        """What was asked since the last time: each statement once, with the parameters of the first time."""
        asked, self._asked = self._asked, {}
        parts = []
        for sql, (parameters, times) in asked.items():
            said = "".join(f"-- {name} = {_said(value)}\n" for name, value in sorted(parameters.items()))
            again = f"-- asked {times} times, of other parameters each; these are the first\n" if times > 1 else ""
            parts.append(f"{again}{said}{sql.strip()};\n")
        return "\n".join(parts)

    def _note(self, sql: str, parameters: Mapping[str, Any] | None) -> None:
        first, times = self._asked.get(sql, (dict(parameters or {}), 0))
        self._asked[sql] = (first, times + 1)


def _said(value: Any) -> str:
    return line({"": value}).decode()[4:-2]
