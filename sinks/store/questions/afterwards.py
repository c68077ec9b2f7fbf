"""What an auditor asks afterwards, each one question in their words and in SQL that any client of ClickHouse can run.

Their answers are shown as they come, column by column, beside the SQL: so these have no rows of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Question:
    """A question in the auditor's words, and its SQL."""

    name: str
    asks: str
    sql: str


QUESTIONS: Final = (
    Question(
        "stale_decisions",
        "Which decisions were made on stale data?",
        """
SELECT system, uniqExact(event_id) AS decisions, min(event_time) AS first, max(event_time) AS last,
       round(max(age_seconds) / 86400, 1) AS oldest_data_in_days
FROM stale_decisions GROUP BY system""",
    ),
    Question(
        "on_the_hook",
        "Who was on the hook, and who was told?",
        """
SELECT v.opened_at AS opened_at, v.system AS system, o.owner AS owner, v.clause AS clause, v.severity AS severity,
       arrayStringConcat(p.people, ' > ') AS paged, v.acknowledged_by AS acknowledged_by, v.state AS state
FROM violations AS v
LEFT JOIN owners AS o ON o.system = v.system
LEFT JOIN (
    SELECT violation_id, arrayMap(told -> told.2, arraySort(groupUniqArray((step, person)))) AS people
    FROM page WHERE result = 'delivered' AND news = 'trigger' GROUP BY violation_id
) AS p ON p.violation_id = v.violation_id
ORDER BY opened_at""",
    ),
    Question(
        "answers",
        "Who acknowledged what, and when?",
        """
SELECT answered_at, person, answer, counted, of, system, summary
FROM acknowledgements ORDER BY answered_at""",
    ),
    Question(
        "no_answer",
        "Who was asked and never answered?",
        """
SELECT person, of, system, asked_at, reference
FROM acknowledgement_latency WHERE answered_at IS NULL ORDER BY asked_at""",
    ),
    Question(
        "suspensions",
        "What was suspended, by whom or by which contract, and on which evidence was it resumed?",
        """
SELECT since, system, version, tool, state, person, contract, reason, evidence_uri
FROM suspended ORDER BY judged_at, since""",
    ),
    Question(
        "unregistered",
        "What is running unregistered?",
        """
SELECT system, type, versions, events, first_seen, last_seen
FROM inventory WHERE NOT registered""",
    ),
)

ACCOUNT: Final = Question(
    "account",
    "Is every event accounted for?",
    """
SELECT record_type, sum(stored) AS stored, sum(dead) AS dead_letters
FROM (
    SELECT 'inference' AS record_type, count() AS stored, 0 AS dead FROM inference
    UNION ALL SELECT 'tool_call', count(), 0 FROM tool_call
    UNION ALL SELECT 'config_change', count(), 0 FROM config_change
    UNION ALL SELECT 'acknowledgement', count(), 0 FROM acknowledgement
    UNION ALL SELECT 'dataset_refresh', count(), 0 FROM dataset_refresh
    UNION ALL SELECT 'suspension', count(), 0 FROM suspension
    UNION ALL SELECT 'outcome', count(), 0 FROM outcome
    UNION ALL SELECT 'attestation', count(), 0 FROM attestation
    UNION ALL SELECT CAST(record_type, 'String'), 0, count() FROM dead_letter GROUP BY record_type
) GROUP BY record_type HAVING stored + dead_letters > 0 ORDER BY stored DESC""",
)


def ask(store: Store, question: Question) -> list[dict[str, Any]]:
    """The answer's rows. Raises StoreError or UnreachableError."""
    return store.rows(question.sql)


def accounted(rows: Sequence[Mapping[str, Any]], emitted: int) -> bool:
    """Whether stored events and dead letters are together as many as were emitted."""
    return sum(int(row["stored"]) + int(row["dead_letters"]) for row in rows) == emitted
