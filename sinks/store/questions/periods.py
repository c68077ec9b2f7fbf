"""How many events satisfied an agreed behaviour in each of the last periods, and of how many it cannot be told.

By event time; each event counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from seamwatch.expressions.sql import clickhouse
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from seamwatch.expressions import Expression
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Period:
    """One period, from ``start`` on: what was looked at, what passed, and what could not be told.

    ``untold`` are those of ``events`` that do not give what is asked, and did not pass; ``unselected`` are others, of
    which it cannot be told whether they are to be looked at.
    """

    start: Micros
    events: int
    passed: int
    untold: int
    unselected: int

    @property
    def share(self) -> float | None:
        """The share that passed; None where there was nothing."""
        return self.passed / self.events if self.events else None


_VIEWS: Final = {"inference": "decisions", "tool_call": "calls"}
_PERIODS: Final = """
SELECT
    fromUnixTimestamp64Micro({since:Int64} + intDiv(at - {since:Int64}, {every:Int64}) * {every:Int64}, 'UTC') AS start,
    countIf(looked = 1) AS events, countIf(looked = 1 AND held = 1) AS passed,
    countIf(looked = 1 AND isNull(held)) AS untold, countIf(isNull(looked)) AS unselected
FROM
(
    SELECT toUnixTimestamp64Micro(event_time) AS at, %(must)s AS held, %(select)s AS looked
    FROM %(view)s WHERE system = {system:String}
        AND event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
        AND event_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
)
GROUP BY start ORDER BY start
"""


def periods(
    store: Store,
    system: str,
    on: Literal["inference", "tool_call"],
    must: Expression,
    select: Expression | None,
    every: int,
    until: Micros,
    many: int,
) -> list[Period]:
    """The last ``many`` periods up to ``until``, the oldest first; those without events are there too."""
    starts = [until - every * back for back in range(many, 0, -1)]
    sql = _PERIODS % {
        "must": clickhouse(must, on), "select": "1" if select is None else clickhouse(select, on), "view": _VIEWS[on],
    }  # fmt: skip
    given = {"system": system, "since": str(starts[0]), "until": str(until), "every": every}
    found = {one.start: one for one in rows(store, Period, sql, given)}
    return [found.get(start, Period(start, 0, 0, 0, 0)) for start in starts]
