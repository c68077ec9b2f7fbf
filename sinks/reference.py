"""Reference: approved scores counted by the store, as `streams.reference` counts those of a file of events.

One query; what a reader gives travels as parameters. What the counts allow is `seamwatch.statistics.bands`.
"""

from __future__ import annotations

from typing import Any, Final

from seamwatch.durations import DAY, HOUR
from seamwatch.expressions.sql import clickhouse
from seamwatch.statistics.histograms import HOURS, Counted, Reference
from sinks.store import Store

# From scores to bins of a window, to windows with their totals, to hours of day.
_QUERY: Final = """
SELECT
    part,
    intDiv(modulo(number * {window:Int64}, {day:Int64}), {hour:Int64}) AS hour_of_day,
    sumMap(places, counts) AS histogram,
    toInt64(count()) AS windows,
    sum(total * total / size) AS squares
FROM
(
    SELECT
        part, number, groupArray(place) AS places, groupArray(found) AS counts,
        toFloat64(sum(place * found)) AS total, toFloat64(sum(found)) AS size
    FROM
    (
        SELECT
            part,
            number,
            toInt64(least(greatest(floor((value - {low:Float64}) * {scale:Float64}), 0.0), {last:Float64})) AS place,
            toInt64(%(count)s) AS found
        FROM
        (
            SELECT
                %(part)s AS part,
                intDiv(toUnixTimestamp64Micro(event_time), {window:Int64}) AS number,
                assumeNotNull(score) AS value
            FROM inference
            WHERE system = {system:String}
                AND event_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
                AND event_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')
                AND isNotNull(score)%(where)s
            ORDER BY event_time
            LIMIT 1 BY event_id
        )
        WHERE number * {window:Int64} >= {start:Int64} AND (number + 1) * {window:Int64} <= {to:Int64}
        GROUP BY part, number, place
    )
    GROUP BY part, number
)
GROUP BY part, hour_of_day
ORDER BY part, hour_of_day
"""


def references_of(store: Store, counted: Counted) -> dict[str | None, Reference]:
    """The reference of each cohort, or under None of all scores together; empty when there is no score.

    ``counted`` names a period. Raises StoreError and UnreachableError.
    """
    low, high = counted.range
    parameters: dict[str, Any] = {
        "system": counted.system,
        "start": counted.start,
        "to": counted.to,
        "window": counted.window,
        "day": DAY,
        "hour": HOUR,
        "low": low,
        "scale": counted.bins / (high - low),
        "last": counted.bins - 1,
    }
    where = "" if counted.where is None else f" AND {clickhouse(counted.where, 'inference')}"
    if counted.version is not None:
        where += " AND version = {version:String}"
        parameters["version"] = counted.version
    part = "CAST(cohort, 'Nullable(String)')" if counted.by else "CAST(NULL, 'Nullable(String)')"
    count = "uniqExact(value)" if counted.distinct else "count()"
    rows = store.rows(_QUERY % {"part": part, "count": count, "where": where}, parameters)
    found: dict[str | None, _Filling] = {}
    for row in rows:
        found.setdefault(row["part"], _Filling(counted.bins)).add(row)
    return {name: filling.reference() for name, filling in found.items()}


class _Filling:
    """A reference that is filled hour by hour."""

    def __init__(self, bins: int) -> None:
        self._hours = [[0] * bins for _ in range(HOURS)]
        self._windows, self._squares = [0] * HOURS, [0.0] * HOURS

    def add(self, row: dict[str, Any]) -> None:
        hour = int(row["hour_of_day"])
        for place, count in zip(*row["histogram"], strict=True):
            self._hours[hour][int(place)] = int(count)
        self._windows[hour], self._squares[hour] = int(row["windows"]), float(row["squares"])

    def reference(self) -> Reference:
        return Reference(tuple(map(tuple, self._hours)), tuple(self._windows), tuple(self._squares))
