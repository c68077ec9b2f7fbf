"""What is measured of a system's decisions and outcomes, over all and by cohort: sums and ranks, computed in the store.

An outcome that carries no score or cohort takes them from its decision, as in the stages. What cannot be told is left
out; the question `unjudged` says how much that is. No figure is made here: `figures` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seamwatch.expressions.sql import clickhouse
from sinks.store.questions.rows import count, rows
from sinks.store.questions.unjudged.events import WITHIN, values_of, view_of

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
    """Outcomes with a score and a label of 0 to 1: how many, how many were right, and sums of squared errors."""

    overall: int
    cohort: str | None
    outcomes: int
    right: int
    judged: int
    squared: float
    fourth: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """Outcomes of label 1 and 0, and of how many pairs of them the scores rank the first above the second."""

    overall: int
    cohort: str | None
    positives: int
    negatives: int
    won: float


@dataclass(frozen=True, slots=True)
class Binned:
    """Outcomes of one bin of scores, and the sums of scores and labels as probabilities, in billionths."""

    overall: int
    cohort: str | None
    bin: int
    outcomes: int
    said: int
    happened: int


_COHORT: Final = "if(overall, NULL, CAST(cohort, 'Nullable(String)'))"
"""Each event stands twice: in its cohort, and among all."""
_TWICE: Final = "ARRAY JOIN [0, 1] AS overall"
_TOLD_APART: Final = "(overall OR ifNull(cohort, '') IN {cohorts:Array(String)})"
_COHORTS: Final = f"""
SELECT CAST(assumeNotNull(cohort), 'String') AS name FROM decisions
WHERE {WITHIN} AND cohort IS NOT NULL GROUP BY name ORDER BY count() DESC, name LIMIT {{most:UInt32}}
"""
_HOW_MANY: Final = f"SELECT uniqExact(cohort) FROM decisions WHERE {WITHIN}"
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
_USABLE: Final = "score IS NOT NULL AND label BETWEEN 0 AND 1"
_KNOWN: Final = f"""
SELECT
    overall, {_COHORT} AS of_cohort, count() AS outcomes, countIf(ifNull(%(correct)s, false)) AS right,
    countIf(isNotNull(%(correct)s)) AS judged, sum(pow(assumeNotNull(score) - label, 2)) AS squared,
    sum(pow(assumeNotNull(score) - label, 4)) AS fourth
FROM %(view)s {_TWICE} WHERE {_USABLE} AND {_TOLD_APART} GROUP BY overall, of_cohort ORDER BY overall DESC, of_cohort
"""
_RANKED: Final = f"""
SELECT overall, of_cohort AS cohort, sum(ones) AS positives, sum(zeros) AS negatives,
    sum(ones * (below - zeros / 2)) AS won
FROM
(
    SELECT overall, of_cohort, ones, zeros,
        sum(zeros) OVER (PARTITION BY overall, of_cohort ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS below
    FROM
    (
        SELECT overall, {_COHORT} AS of_cohort, assumeNotNull(score) AS place,
            countIf(label = 1) AS ones, countIf(label = 0) AS zeros
        FROM %(view)s {_TWICE} WHERE score IS NOT NULL AND label IN (0, 1) AND {_TOLD_APART}
        GROUP BY overall, of_cohort, place
    )
)
GROUP BY overall, of_cohort ORDER BY overall DESC, cohort
"""
_BINNED: Final = f"""
SELECT overall, of_cohort AS cohort, bin, count() AS outcomes, sum(toInt64(round(said * 1000000000))) AS said,
    sum(toInt64(round(label * 1000000000))) AS happened
FROM
(
    SELECT overall, {_COHORT} AS of_cohort, label,
        (assumeNotNull(score) - {{low:Float64}}) / ({{high:Float64}} - {{low:Float64}}) AS said,
        least(toInt64(floor(said * {{bins:Int64}})), {{bins:Int64}} - 1) AS bin
    FROM %(view)s {_TWICE}
    WHERE {_USABLE} AND score BETWEEN {{low:Float64}} AND {{high:Float64}} AND {_TOLD_APART}
)
GROUP BY overall, of_cohort, bin ORDER BY overall DESC, cohort, bin
"""


@dataclass(frozen=True, slots=True)
class Measuring:
    """Of which system, time and cohorts."""

    store: Store
    system: str
    period: Period
    cohorts: Sequence[str]

    @classmethod
    def of(cls, store: Store, system: str, period: Period) -> Measuring:
        """With the cohorts that are told apart."""
        values = values_of([system], period) | {"most": MOST_COHORTS}
        return cls(store, system, period, [row["name"] for row in store.rows(_COHORTS, values)])

    def cohorts_left_out(self) -> int:
        """How many cohorts of decisions are not told apart."""
        return count(self.store, _HOW_MANY, values_of([self.system], self.period)) - len(self.cohorts)

    def decided(self, quantiles: Sequence[float]) -> list[Decided]:
        """Decisions, those of all before each cohort's."""
        return rows(self.store, Decided, _DECIDED, self._values(quantiles=list(quantiles)))

    def known(self, correct: Expression) -> list[Known]:
        """Outcomes, and of how many ``correct`` holds."""
        sql = _KNOWN % {"correct": clickhouse(correct, "outcome"), "view": view_of("outcome")}
        found = self.store.rows(sql, self._values())
        return [Known(cohort=row.pop("of_cohort"), **row) for row in map(dict, found)]

    def ranked(self) -> list[Ranked]:
        """Outcomes of label 0 or 1, as their scores rank them."""
        return rows(self.store, Ranked, _RANKED % {"view": view_of("outcome")}, self._values())

    def binned(self, bins: int, low: float, high: float) -> list[Binned]:
        """Outcomes by equal bins of the scores from ``low`` to ``high``."""
        values = self._values(bins=bins, low=low, high=high)
        return rows(self.store, Binned, _BINNED % {"view": view_of("outcome")}, values)

    def _values(self, **more: Any) -> dict[str, Any]:
        return values_of([self.system], self.period) | {"cohorts": list(self.cohorts)} | more
