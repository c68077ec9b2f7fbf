"""What is measured of a system's decisions and outcomes, over all and by cohort: sums and ranks, computed in the store.

An outcome that carries no score or cohort takes them from its decision, as in the stages. What cannot be told is left
out; the question `unjudged` says how much that is. No figure is made here: `figures` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seamwatch.expressions.sql import clickhouse
from sinks.store.questions.rows import rows
from sinks.store.questions.sources import WITHIN, values_of, view_of

if TYPE_CHECKING:
    from seamwatch.expressions import Expression
    from sinks.store.client import Store
    from sinks.store.questions.unjudged import Period

MOST_COHORTS: Final = 20
"""So many cohorts, those with the most decisions, are told apart."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions of a cohort, or all (``overall`` 1); ``latencies`` are value, low and high of each quantile."""

    overall: int
    cohort: str | None
    events: int
    abuse: int
    fallback: int
    human_review: int
    timed: int
    latencies: tuple[tuple[float | None, float | None, float | None], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Outcomes with a score and a label of 0 to 1, of a cohort or all (``overall`` 1).

    - ``right`` of ``judged``; the sums of squared errors, and of their squares.
    - ``area``: of all pairs of one of the ``positives`` and one of the ``negatives`` (labels 1 and 0), the share that
      scores rank right; equal scores count half.
    - By ``bins``, their numbers: outcomes, and the sums of scores and labels as probabilities, in billionths.
    """

    overall: int
    cohort: str | None
    outcomes: int
    right: int
    judged: int
    squared: float
    fourth: float
    positives: int
    negatives: int
    area: float | None
    bins: tuple[int, ...]
    counts: tuple[int, ...]
    said: tuple[int, ...]
    happened: tuple[int, ...]


_COHORT: Final = "if(overall, NULL, CAST(cohort, 'Nullable(String)'))"
"""Each event stands twice: in its cohort, and among all."""
_TWICE: Final = "ARRAY JOIN [0, 1] AS overall"
_TOLD_APART: Final = "(overall OR ifNull(cohort, '') IN {cohorts:Array(String)})"
_COHORTS: Final = f"""
SELECT CAST(assumeNotNull(cohort), 'String') AS name, count() OVER () AS in_all FROM decisions
WHERE {WITHIN} AND cohort IS NOT NULL GROUP BY name ORDER BY count() DESC, name LIMIT {{most:UInt32}}
"""
# By order statistics, as `seamwatch.judging.patterns.intervals.quantile_ranks` has them.
_LATENCIES: Final = """
arrayMap(
    q -> (
        toNullable(sorted[greatest(1, toInt64(ceil(timed * q)))]),
        if(floor(timed * q - 1.959963984540054 * sqrt(timed * q * (1 - q))) < 1, NULL,
            sorted[toInt64(floor(timed * q - 1.959963984540054 * sqrt(timed * q * (1 - q))))]),
        if(ceil(timed * q + 1.959963984540054 * sqrt(timed * q * (1 - q))) + 1 > timed, NULL,
            sorted[toInt64(ceil(timed * q + 1.959963984540054 * sqrt(timed * q * (1 - q)))) + 1])
    ), if(timed = 0, [], {quantiles:Array(Float64)})
)
"""
_DECIDED: Final = f"""
SELECT overall, of_cohort AS cohort, events, abuse, fallback, human_review, timed, {_LATENCIES} AS latencies
FROM
(
    SELECT
        overall, {_COHORT} AS of_cohort, count() AS events, countIf(decisions.abuse) AS abuse,
        countIf(decisions.fallback) AS fallback, countIf(decisions.human_review) AS human_review,
        arraySort(groupArray(latency_ms)) AS sorted, length(sorted) AS timed
    FROM decisions {_TWICE} WHERE {WITHIN} AND {_TOLD_APART} GROUP BY overall, of_cohort
)
ORDER BY overall DESC, cohort
"""
# Of equal scores the area counts half, as Mann and Whitney do.
_KNOWN: Final = f"""
SELECT
    overall, of_cohort AS cohort, outcomes, right, judged, squared, fourth, positives, negatives,
    if(positives = 0 OR negatives = 0, NULL, arrayROCAUC(ranked.1, ranked.2)) AS area,
    by_bin.1 AS bins, by_bin.2 AS counts, by_bin.3 AS said, by_bin.4 AS happened
FROM
(
    SELECT
        overall, {_COHORT} AS of_cohort, count() AS outcomes, countIf(is_right = 1) AS right,
        countIf(isNotNull(is_right)) AS judged, sum(pow(scored - label, 2)) AS squared,
        sum(pow(scored - label, 4)) AS fourth, countIf(label = 1) AS positives, countIf(label = 0) AS negatives,
        (groupArrayIf(scored, label IN (0, 1)), groupArrayIf(toUInt8(label), label IN (0, 1))) AS ranked,
        sumMapIf(
            [bin], [toUInt64(1)], [toInt64(round(share * 1000000000))], [toInt64(round(label * 1000000000))], within
        ) AS by_bin
    FROM
    (
        SELECT
            cohort, label, assumeNotNull(score) AS scored, CAST(%(correct)s, 'Nullable(UInt8)') AS is_right,
            (scored - {{low:Float64}}) / ({{high:Float64}} - {{low:Float64}}) AS share,
            scored BETWEEN {{low:Float64}} AND {{high:Float64}} AS within,
            least(toInt64(floor(if(within, share, 0) * {{bins:Int64}})), {{bins:Int64}} - 1) AS bin
        FROM %(view)s WHERE score IS NOT NULL AND label BETWEEN 0 AND 1
    )
    {_TWICE} WHERE {_TOLD_APART} GROUP BY overall, of_cohort
)
ORDER BY overall DESC, cohort
"""


@dataclass(frozen=True, slots=True)
class Measuring:
    """Of which system, time and cohorts."""

    store: Store
    system: str
    period: Period
    cohorts: Sequence[str]
    cohorts_left_out: int
    """How many cohorts of decisions are not told apart."""

    @classmethod
    def of(cls, store: Store, system: str, period: Period) -> Measuring:
        """With the cohorts that are told apart."""
        found = store.rows(_COHORTS, values_of([system], period) | {"most": MOST_COHORTS})
        left_out = int(found[0]["in_all"]) - len(found) if found else 0
        return cls(store, system, period, [row["name"] for row in found], left_out)

    def decided(self, quantiles: Sequence[float]) -> list[Decided]:
        """Decisions, those of all before each cohort's."""
        return rows(self.store, Decided, _DECIDED, self._values(quantiles=list(quantiles)))

    def known(self, correct: Expression, bins: int, low: float, high: float) -> list[Known]:
        """Outcomes: of how many ``correct`` holds, how scores rank them, and by equal bins from ``low`` to ``high``."""
        sql = _KNOWN % {"correct": clickhouse(correct, "outcome"), "view": view_of("outcome")}
        return rows(self.store, Known, sql, self._values(bins=bins, low=low, high=high))

    def _values(self, **more: Any) -> dict[str, Any]:
        return values_of([self.system], self.period) | {"cohorts": list(self.cohorts)} | more
