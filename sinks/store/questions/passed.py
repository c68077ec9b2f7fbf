"""How many events satisfied an agreed behaviour, by week (Monday to Sunday, UTC, of event time); each event once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from seamwatch.expressions.sql import clickhouse
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from seamwatch.expressions import Expression
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Week:
    """One week; ``week`` is its Monday. What could not be told did not pass."""

    week: date
    events: int
    passed: int

    @property
    def share(self) -> float:
        """The share that passed."""
        return self.passed / self.events


_VIEWS: Final = {"inference": "decisions", "tool_call": "calls"}
_WEEKS: Final = """
SELECT toMonday(toDate(event_time, 'UTC')) AS week, count() AS events, countIf(ifNull(%(must)s, 0)) AS passed
FROM %(view)s WHERE system = {system:String}
    AND event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND event_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC') %(where)s
GROUP BY week ORDER BY week
"""


def weeks(
    store: Store,
    system: str,
    on: Literal["inference", "tool_call"],
    must: Expression,
    select: Expression | None,
    since: Micros,
    until: Micros,
) -> list[Week]:
    """The weeks in which a system had such events that ``select`` takes, the oldest first."""
    where = "" if select is None else f"AND {clickhouse(select, on)}"
    sql = _WEEKS % {"must": clickhouse(must, on), "view": _VIEWS[on], "where": where}
    return rows(store, Week, sql, {"system": system, "since": str(since), "until": str(until)})
