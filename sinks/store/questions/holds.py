"""Which legal holds are in force: what must not be removed although its time is over.

Placing and lifting one is `sinks.retention.holds`' affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that is in force; an empty ``table`` or ``system`` is every one.

    ``start`` and ``end`` are times of arrival in microseconds, end not included; None has no bound.
    """

    hold_id: str
    table: str
    system: str
    start: Micros | None
    end: Micros | None
    person: str
    reason: str
    placed_at: Micros

    def covers(self, table: str, start: int, end: int) -> bool:
        """Whether it may hold rows of a table that arrived in [start, end); of which systems is not asked."""
        return (
            self.table in ("", table)
            and (self.end is None or start < self.end)
            and (self.start is None or self.start < end)
        )


_IN_FORCE: Final = """
SELECT hold_id, table, system, `from` AS start, `to` AS end, person, reason, at AS placed_at
FROM hold WHERE action = 'placed' AND hold_id NOT IN (SELECT hold_id FROM hold WHERE action = 'lifted')
ORDER BY placed_at, hold_id LIMIT 1 BY hold_id
"""


def holds(store: Store) -> list[Hold]:
    """The holds that are in force, the oldest first."""
    return rows(store, Hold, _IN_FORCE)
