"""Counting: the events of a contract's systems by its clauses, in one pass over each kind of event; and open episodes.

Bounded by time on every side: three days of events, and of refreshes no longer ago than three times the age agreed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY, HOUR
from seamwatch.expressions.sql import clickhouse
from seamwatch.judging.model.measure import FAILS, HOLDS
from sinks.store.questions.burn.rates import HOURS
from sinks.store.questions.rows import Micros, micros
from sinks.store.questions.sources import WITHIN, Period, holds, values_of, view_of

if TYPE_CHECKING:
    from seamwatch.expressions import Expression
    from seamwatch.judging.model.measure import Source
    from seamwatch.judging.model.tolerance import Tolerance
    from sinks.store.client import Store

_EVENTS: Final = f"""
SELECT CAST(system, 'String') AS system, part, %(counts)s
FROM (SELECT system, event_time, %(part)s AS part, %(marks)s FROM %(source)s WHERE {WITHIN})
GROUP BY system, part ORDER BY system, part
"""
_AGES: Final = f"""
SELECT CAST(system, 'String') AS system, max(least(data_as_of, event_time)) AS newest
FROM refreshes WHERE {WITHIN} %(where)s GROUP BY system
"""
_OLDEST: Final = f"""
SELECT CAST(system, 'String') AS system, max(dateDiff('millisecond', data_as_of, event_time)) / 1000 AS oldest
FROM decisions WHERE {WITHIN} AND data_as_of IS NOT NULL %(where)s GROUP BY system
"""
_OPEN: Final = """
SELECT contract, clause, CAST(system, 'String') AS system, %(shares)s
FROM
(
    SELECT contract, clause, system, toUnixTimestamp64Micro(opened_at) AS began,
        toUnixTimestamp64Micro(coalesce(resolved_at, fromUnixTimestamp64Micro({until:Int64}, 'UTC'))) AS ended
    FROM violations
    WHERE opened_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
        AND (resolved_at IS NULL OR resolved_at > fromUnixTimestamp64Micro({since:Int64}, 'UTC'))
        AND kind != 'unjudged'
)
GROUP BY contract, clause, system
"""


@dataclass(frozen=True, slots=True)
class Counting:
    """A clause to be counted: what it tolerates, and ``where`` it looks."""

    tolerance: Tolerance
    where: Expression | None

    @property
    def reads(self) -> frozenset[str]:
        """The fields of an event that are read for it."""
        measure = self.tolerance.measure
        asked = (self.where, measure.select, measure.breach, self.tolerance.left_out)
        return frozenset(name for each in asked if each is not None for name in each.columns)


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted of a clause in one window."""

    events: int
    bad: int
    untold: int


def starts(now: Micros, valid_from: Micros) -> tuple[Micros, ...]:
    """When the windows begin: no earlier than what is in force came into force."""
    return tuple(max(now - hours * HOUR, min(valid_from, now)) for hours in HOURS)


def counted(
    store: Store, systems: Sequence[str], clauses: Mapping[str, Counting], begins: Sequence[Micros], now: Micros
) -> Iterator[tuple[str, str, str | None, tuple[Count, ...]]]:
    """By clause, system and cohort what was counted in each window; nothing of where there was no event."""
    groups: dict[tuple[Source, tuple[str, ...]], list[str]] = {}
    for name, counting in clauses.items():
        measure = counting.tolerance.measure
        groups.setdefault((measure.source, measure.slice), []).append(name)
    for (source, sliced), names in groups.items():
        marks = [_marks(number, clauses[name], source) for number, name in enumerate(names)]
        sql = _EVENTS % {
            "counts": ", ".join(_counts(number, begins) for number in range(len(names))),
            "part": "CAST(cohort, 'Nullable(String)')" if sliced == ("cohort",) else "CAST(NULL, 'Nullable(String)')",
            "marks": ", ".join(marks),
            "source": view_of(source, attributes=any("attributes" in clauses[name].reads for name in names)),
        }
        for row in store.rows(sql, values_of(systems, Period(begins[-1], now))):
            for number, name in enumerate(names):
                parts = zip(row[f"events_{number}"], row[f"bad_{number}"], row[f"untold_{number}"], strict=True)
                yield name, row["system"], row["part"], tuple(Count(*map(int, part)) for part in parts)


def _marks(number: int, counting: Counting, source: Source) -> str:
    """Of each event whether it counts, offends, and cannot be told."""
    measure = counting.tolerance.measure
    assert measure.breach is not None
    assert measure.offends in (HOLDS, FAILS)
    counts = "true" if measure.select is None else holds(measure.select, source)
    broken = holds(measure.breach, source)
    bad = broken if measure.offends == HOLDS else f"NOT {broken}"
    doubts = [] if counting.where is None else [f"isNull({clickhouse(counting.where, source)})"]
    if counting.tolerance.left_out is not None:
        selected = "true" if counting.where is None else holds(counting.where, source)
        doubts.append(f"({selected} AND {holds(counting.tolerance.left_out, source)})")
    return f"{counts} AS counts_{number}, {bad} AS offends_{number}, {' OR '.join(doubts) or 'false'} AS doubt_{number}"


def _counts(number: int, begins: Sequence[Micros]) -> str:
    def of(name: str, condition: str) -> str:
        each = (f"countIf({condition} AND event_time >= {_time(at)})" for at in begins)
        return f"[{', '.join(each)}] AS {name}_{number}"

    counts = f"counts_{number}"
    return ", ".join(
        (of("events", counts), of("bad", f"{counts} AND offends_{number}"), of("untold", f"doubt_{number}"))
    )


def newest(
    store: Store, systems: Sequence[str], limit: int, where: Expression | None, now: Micros
) -> dict[str, Micros]:
    """By data set the time of its newest data, as far back as three times the age that is agreed."""
    sql = _AGES % {"where": _and(where, "dataset_refresh")}
    since = now - max(3 * limit, 3 * DAY)
    return {row["system"]: micros(row["newest"]) for row in store.rows(sql, values_of(systems, Period(since, now)))}


def oldest(
    store: Store, systems: Sequence[str], where: Expression | None, since: Micros, now: Micros
) -> dict[str, float]:
    """By system the age in seconds of the oldest data that a decision was made on."""
    sql = _OLDEST % {"where": _and(where, "inference")}
    return {row["system"]: float(row["oldest"]) for row in store.rows(sql, values_of(systems, Period(since, now)))}


def open_shares(store: Store, now: Micros) -> dict[tuple[str, str, str], tuple[float, ...]]:
    """By contract, clause and system for which share of each window an episode was open; none where it was not."""
    begins = [now - hours * HOUR for hours in HOURS]
    shares = ", ".join(
        f"intervalLengthSumIf(greatest(began, toInt64({at})), ended, ended > {at}) / {now - at} AS share_{number}"
        for number, at in enumerate(begins)
    )
    found = store.rows(_OPEN % {"shares": shares}, {"since": str(begins[-1]), "until": str(now)})
    return {
        (row["contract"], row["clause"], row["system"]): tuple(
            float(row[f"share_{number}"]) for number in range(len(HOURS))
        )
        for row in found
    }


def _and(where: Expression | None, source: str) -> str:
    return "" if where is None else f"AND {clickhouse(where, source)}"


def _time(at: Micros) -> str:
    return f"fromUnixTimestamp64Micro(toInt64({at}), 'UTC')"
