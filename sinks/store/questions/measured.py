"""What was measured of a system's decisions and data over a stretch of time, in parts of equal width.

It is bounded: at most 400 parts are asked for at once. Event time; what is repeated counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seamwatch.errors import UsageError
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

MOST_PARTS: Final = 400

AT: Final = "fromUnixTimestamp64Micro(intDiv(toUnixTimestamp64Micro(event_time), {width:Int64}) * {width:Int64}, 'UTC')"
WITHIN: Final = """
system = {system:String}
    AND event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND event_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
"""
_COHORT: Final = "({cohort:Nullable(String)} IS NULL OR cohort = {cohort:Nullable(String)})"
_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions of a part of time that begins ``at``; None where no decision gives what is asked for.

    ``age_seconds`` is that of the oldest data any of them was made on; ``latencies_ms`` are the quantiles `QUANTILES`.
    """

    at: Micros
    events: int
    latencies_ms: tuple[float | None, ...]
    score_least: float | None
    score_mean: float | None
    score_most: float | None
    abuse_share: float
    fallback_share: float
    review_share: float
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """Of all decisions of a part of time, those of one cohort."""

    at: Micros
    events: int
    of_cohort: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One refresh of a dataset, and how old its data was when it came (micros)."""

    at: Micros
    data_as_of: Micros
    row_count: int


QUANTILES: Final = _QUANTILES

_DECIDED: Final = f"""
SELECT
    {AT} AS at, count() AS events,
    arrayMap(
        x -> if(isNaN(x), NULL, toFloat64(x)), quantilesTDigest({", ".join(map(str, _QUANTILES))})(latency_ms)
    ) AS latencies_ms,
    min(score) AS score_least, avg(score) AS score_mean, max(score) AS score_most,
    countIf(abuse) / count() AS abuse_share, countIf(fallback) / count() AS fallback_share,
    countIf(human_review) / count() AS review_share,
    max(dateDiff('millisecond', data_as_of, event_time)) / 1000 AS age_seconds
FROM decisions WHERE {WITHIN} AND {_COHORT} GROUP BY at ORDER BY at
"""
_SHARES: Final = f"""
SELECT {AT} AS at, count() AS events, countIf(cohort = {{cohort:Nullable(String)}}) AS of_cohort
FROM decisions WHERE {WITHIN} GROUP BY at ORDER BY at
"""
_REFRESHED: Final = f"""
SELECT event_time AS at, data_as_of, row_count FROM refreshes WHERE {WITHIN} ORDER BY event_time DESC
LIMIT {{most:UInt32}}
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A system's time from ``since`` to before ``until``, in parts of ``width`` micros that begin at its multiples."""

    system: str
    since: Micros
    until: Micros
    width: int

    def __post_init__(self) -> None:
        if self.width < 1 or (self.until - self.since) // self.width > MOST_PARTS:
            raise UsageError(f"so long a time in so small parts makes more than {MOST_PARTS} of them: take larger ones")

    def values(self, **more: Any) -> dict[str, Any]:
        """The parameters of a query."""
        told = {"since": str(self.since), "until": str(self.until), "width": str(self.width)}
        return {"system": self.system} | told | more


def decided(store: Store, span: Span, cohort: str | None = None) -> list[Decided]:
    """The decisions of each part in which there were any; of one cohort, or all."""
    return rows(store, Decided, _DECIDED, span.values(cohort=cohort))


def shares(store: Store, span: Span, cohort: str) -> list[Share]:
    """How many decisions of each part were of a cohort."""
    return rows(store, Share, _SHARES, span.values(cohort=cohort))


def refreshed(store: Store, span: Span) -> list[Refreshed]:
    """The newest 400 refreshes, the oldest of them first."""
    return rows(store, Refreshed, _REFRESHED, span.values(most=MOST_PARTS))[::-1]
