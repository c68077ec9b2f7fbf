"""How many tool calls a system made over a stretch of time, in parts of equal width, and how many were denied.

Bounded as `sinks.store.questions.measured` is. Event time; what is repeated counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.measured import AT, WITHIN, Span
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

_CALLED: Final = f"""
SELECT {AT} AS at, count() AS events, countIf(decision = 'denied') AS denied
FROM calls WHERE {WITHIN} GROUP BY at ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Called:
    """Tool calls of a part of time, and how many of them were denied."""

    at: Micros
    events: int
    denied: int


def called(store: Store, span: Span) -> list[Called]:
    """The tool calls of each part in which there were any."""
    return rows(store, Called, _CALLED, span.values())
