"""How much happened while an episode was open: the decisions, calls and people that it may have touched.

Counted is all that the systems did in that time, not only what broke a clause, by event time; what is repeated counts
once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Touched:
    """What one system did in the time; ``subjects`` are the different ones that decisions name."""

    system: str
    decisions: int
    subjects: int
    calls: int
    first: Micros
    last: Micros


@dataclass(frozen=True, slots=True)
class Extent:
    """Of which systems, from when to when (before ``until``), and of which cohort or conversation only, if any."""

    systems: tuple[str, ...]
    since: Micros
    until: Micros
    cohort: str | None = None
    trace: str | None = None


_WITHIN: Final = """
system IN {systems:Array(String)}
    AND event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND event_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
    AND ({trace:Nullable(String)} IS NULL OR trace_id = {trace:Nullable(String)})
"""
_TOUCHED: Final = f"""
SELECT
    system, sum(decided) AS decisions, sum(named) AS subjects, sum(called) AS calls, min(earliest) AS first,
    max(latest) AS last
FROM
(
    SELECT
        CAST(system, 'String') AS system, count() AS decided, uniqExactIf(subject, subject != '') AS named, 0 AS called,
        min(event_time) AS earliest, max(event_time) AS latest
    FROM decisions
    WHERE {_WITHIN} AND ({{cohort:Nullable(String)}} IS NULL OR cohort = {{cohort:Nullable(String)}})
    GROUP BY system
    UNION ALL
    SELECT CAST(system, 'String') AS system, 0, 0, count(), min(event_time), max(event_time)
    FROM calls
    WHERE {_WITHIN} AND {{cohort:Nullable(String)}} IS NULL
    GROUP BY system
)
GROUP BY system ORDER BY system
"""


def touched(store: Store, extent: Extent) -> list[Touched]:
    """Each system that did anything in the time, by name."""
    if not extent.systems:
        return []
    values = {
        "systems": list(extent.systems),
        "since": str(extent.since),
        "until": str(extent.until),
        "cohort": extent.cohort,
        "trace": extent.trace,
    }
    return rows(store, Touched, _TOUCHED, values)


def extent_of(
    systems: Collection[str], since: Micros, until: Micros, *, cohort: str | None = None, trace: str | None = None
) -> Extent:
    """The extent of an episode: its first microsecond counts, also where it was over at once."""
    return Extent(tuple(sorted(set(systems))), since, max(until, since + 1), cohort, trace)
