"""How approved scores are distributed, by hour of day: as `streams.replay.reference` counts those of a file of events.

One query; what a reader gives travels as parameters. What the counts allow is `seamwatch.statistics.bands`.
"""

from __future__ import annotations

from typing import Any, Final

from seamwatch.durations import DAY, HOUR
from seamwatch.expressions.sql import clickhouse
from seamwatch.statistics.histograms import HOURS, Counted, Reference
from sinks.store.client import Store

# From scores to bins of a window, to windows with their totals, to hours of day. A decision without a score is in the
# place before the first bin.
_QUERY: Final = """
SELECT
    part,
    intDiv(modulo(number * {window:Int64}, {day:Int64}), {hour:Int64}) AS hour_of_day,
    sumMap(places, counts) AS histogram,
    toInt64(countIf(size > 0)) AS windows,
    sumIf(total * total / size, size > 0) AS squares,
    toInt64(sum(absent)) AS missing,
    toInt64(count()) AS missing_windows,
    sum(absent * absent / (size + absent)) AS missing_squares
FROM
(
    SELECT
        part, number, groupArrayIf(place, place >= 0) AS places, groupArrayIf(found, place >= 0) AS counts,
        toFloat64(sumIf(place * found, place >= 0)) AS total, toFloat64(sumIf(found, place >= 0)) AS size,
        toFloat64(sumIf(found, place < 0)) AS absent
    FROM
    (
        SELECT
            part,
            number,
            if(isNull(value), -1, toInt64(least(greatest(
                floor((assumeNotNull(value) - {low:Float64}) * {scale:Float64}), 0.0), {last:Float64}))) AS place,
            toInt64(if(place < 0, count(), %(count)s)) AS found
        FROM
        (
            SELECT
                %(part)s AS part,
                intDiv(toUnixTimestamp64Micro(event_time), {window:Int64}) AS number,
                score AS value
            FROM inference
            WHERE system = {system:String}
                AND event_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
                AND event_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')%(where)s
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
    references = {name: filling.reference() for name, filling in found.items()}
    return {name: known for name, known in references.items() if any(known.windows)}


class _Filling:
    """A reference that is filled hour by hour."""

    def __init__(self, bins: int) -> None:
        self._hours = [[0] * bins for _ in range(HOURS)]
        self._windows, self._squares = [0] * HOURS, [0.0] * HOURS
        self._absent, self._asked, self._absent_squares = [(0, 0)] * HOURS, [0] * HOURS, [0.0] * HOURS

    def add(self, row: dict[str, Any]) -> None:
        hour = int(row["hour_of_day"])
        for place, count in zip(*row["histogram"], strict=True):
            self._hours[hour][int(place)] = int(count)
        self._windows[hour], self._squares[hour] = int(row["windows"]), float(row["squares"])
        self._absent[hour] = (sum(self._hours[hour]), int(row["missing"]))
        self._asked[hour], self._absent_squares[hour] = int(row["missing_windows"]), float(row["missing_squares"])

    def reference(self) -> Reference:
        absence = Reference(tuple(self._absent), tuple(self._asked), tuple(self._absent_squares))
        return Reference(tuple(map(tuple, self._hours)), tuple(self._windows), tuple(self._squares), absence)
