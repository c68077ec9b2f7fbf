"""Sources: the events that clauses look at, as the store has them; which view, in which time. SQL; asks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from seamwatch.expressions.sql import clickhouse

if TYPE_CHECKING:
    from seamwatch.expressions import Expression
    from seamwatch.judging.model.measure import Source
    from sinks.store.questions.rows import Micros

TIME: Final = "fromUnixTimestamp64Micro({%s:Int64}, 'UTC')"
WITHIN: Final = (
    f"system IN {{systems:Array(String)}} AND event_time >= {TIME % 'since'} AND event_time < {TIME % 'until'}"
)
LOST: Final = "lost"
"""Of an outcome: no decision of its system is on record that it is of."""

# An outcome that carries no score or cohort takes them from its decision, as in measure.
_OUTCOMES: Final = f"""
(
    SELECT
        labels.* EXCEPT (own_score, own_cohort),
        coalesce(own_score, decided.score) AS score, coalesce(own_cohort, decided.cohort) AS cohort,
        decided.decision_id = '' AS lost
    FROM
    (
        SELECT event_id, event_time, producer, environment, trace_id, parent_id, system, inference_id, label,
            observed_at, score AS own_score, cohort AS own_cohort%s
        FROM outcomes WHERE {WITHIN}
    ) AS labels
    LEFT ANY JOIN
    (
        SELECT event_id AS decision_id, system AS decided_system, score, cohort FROM inference
        WHERE system IN {{systems:Array(String)}}
            AND event_id IN (SELECT inference_id FROM outcome WHERE {WITHIN})
    ) AS decided ON labels.inference_id = decided.decision_id AND labels.system = decided.decided_system
)
"""
SOURCES: Final[tuple[Source, ...]] = ("inference", "tool_call", "outcome")
"""The types of events that clauses measure."""
_VIEWS: Final[Mapping[Source, str]] = MappingProxyType({"inference": "decisions", "tool_call": "calls"})


@dataclass(frozen=True, slots=True)
class Period:
    """Event time from ``since`` to before ``until``."""

    since: Micros
    until: Micros


def view_of(source: Source, *, attributes: bool = False) -> str:
    """What is asked of a type of events, each event once; of outcomes with attributes only for who may see those."""
    return _VIEWS.get(source) or _OUTCOMES % (", attributes" if attributes else "")


def holds(expression: Expression, source: Source) -> str:
    """The SQL of whether a condition holds; what cannot be told does not."""
    return f"ifNull({clickhouse(expression, source)}, false)"


def values_of(systems: Sequence[str], period: Period) -> dict[str, Any]:
    """The parameters that `WITHIN` names."""
    return {"systems": list(systems), "since": str(period.since), "until": str(period.until)}
