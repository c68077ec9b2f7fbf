"""Which scheduled summaries were made, and to whom they were sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, count, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Summary:
    """One summary; ``ended_at`` is the end of what it sums up."""

    notice_id: str
    contract: str
    clause: str
    system: str
    person: str
    summary: str
    ended_at: Micros


_OF: Final = "FROM notice WHERE type = 'summary' AND kind != 'withdrawn'"
_SUMMARIES: Final = f"""
SELECT
    notice_id, CAST(any(contract), 'String') AS contract, CAST(any(clause), 'String') AS clause,
    CAST(any(system), 'String') AS system, any(person) AS person, any(summary) AS summary, min(due_at) AS ended_at
{_OF} GROUP BY notice_id ORDER BY ended_at DESC, notice_id LIMIT {{limit:UInt64}} OFFSET {{offset:UInt64}}
"""


def summaries(store: Store, limit: int, offset: int = 0) -> list[Summary]:
    """So many summaries, the latest first, after ``offset`` of them."""
    return rows(store, Summary, _SUMMARIES, {"limit": limit, "offset": offset})


def number(store: Store) -> int:
    """How many there are."""
    return count(store, f"SELECT uniqExact(notice_id) {_OF}")


_ONE: Final = """
SELECT
    notice_id, CAST(any(contract), 'String') AS contract, CAST(any(clause), 'String') AS clause,
    CAST(any(system), 'String') AS system, any(person) AS person, any(summary) AS summary, min(due_at) AS ended_at
FROM notice WHERE type = 'summary' AND kind != 'withdrawn' AND notice_id = {notice:String} GROUP BY notice_id
"""


def summary_of(store: Store, notice_id: str) -> Summary | None:
    """The summary of this id; None where there is none."""
    return next(iter(rows(store, Summary, _ONE, {"notice": notice_id})), None)
