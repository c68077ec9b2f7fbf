"""One system: its five signals, scores, versions, approvals and episodes. Over the store."""

from __future__ import annotations

from model import STORE, chosen, dashboard, lines, source, stat, table

_OF_IT = "system IN (${system:singlequote})"
_DECIDED = f"FROM decisions WHERE {_OF_IT} AND $__timeFilter(event_time) GROUP BY time ORDER BY time"
_AT = "$__timeInterval(event_time) AS time"

DASHBOARD = dashboard(
    "seamwatch-system",
    "Seamwatch: one system",
    "The five signals of a system, its drift, approvals and episodes, by the time of its events.",
    [source("store", "Store", STORE), chosen("system", "System", "SELECT system FROM inventory ORDER BY system")],
    [
        stat(
            "Open episodes",
            f"SELECT count() AS open FROM violations WHERE state != 'resolved' AND {_OF_IT}",
            red_above=1,
        ),
        stat("Drift", f"SELECT drift FROM drift_now WHERE {_OF_IT}", 5, says="drifting, steady or unwatched"),
        stat("Owner", f"SELECT owner FROM inventory WHERE {_OF_IT}", 5),
        stat("Last review", f"SELECT last_review FROM inventory WHERE {_OF_IT}", 5, unit="dateTimeFromNow"),
        stat("Last seen", f"SELECT last_seen FROM inventory WHERE {_OF_IT}", 5, unit="dateTimeFromNow"),
        lines("Decisions", f"SELECT {_AT}, count() AS decisions {_DECIDED}"),
        lines(
            "Tool calls",
            f"SELECT {_AT}, count() AS calls, countIf(decision = 'denied') AS denied FROM calls "
            f"WHERE {_OF_IT} AND $__timeFilter(event_time) GROUP BY time ORDER BY time",
        ),
        lines(
            "Latency",
            f"""
SELECT {_AT}, quantileTDigest(0.5)(latency_ms) AS p50, quantileTDigest(0.95)(latency_ms) AS p95,
    quantileTDigest(0.99)(latency_ms) AS p99
FROM decisions
WHERE {_OF_IT} AND $__timeFilter(event_time) AND latency_ms IS NOT NULL
GROUP BY time
ORDER BY time
""",
            unit="ms",
        ),
        lines("Scores", f"SELECT {_AT}, min(score) AS lowest, avg(score) AS mean, max(score) AS highest {_DECIDED}"),
        lines(
            "Abuse and fallback",
            f"SELECT {_AT}, countIf(abuse) / count() AS abuse, countIf(fallback) / count() AS fallback, "
            f"countIf(human_review) / count() AS to_a_person {_DECIDED}",
            unit="percentunit",
        ),
        lines(
            "Accuracy (Brier score of the day's decisions, 0 is best)",
            f"""
SELECT toDateTime(day, 'UTC') AS time, sum(brier * outcomes) / sum(outcomes) AS brier
FROM five_signals
WHERE {_OF_IT} AND $__dateFilter(day) AND outcomes > 0
GROUP BY time
ORDER BY time
""",
            says="By the outcomes that are known so far: it moves for days.",
        ),
        lines(
            "Share of each cohort",
            f"""
SELECT {_AT}, ifNull(cohort, 'none') AS cohort, count() / sum(count()) OVER (PARTITION BY time) AS share
FROM decisions
WHERE {_OF_IT} AND $__timeFilter(event_time)
GROUP BY time, cohort
ORDER BY time, cohort
""",
            unit="percentunit",
        ),
        lines(
            "Age of the oldest data that a decision was made on",
            f"SELECT {_AT}, max(dateDiff('second', data_as_of, event_time)) AS age FROM decisions "
            f"WHERE {_OF_IT} AND $__timeFilter(event_time) AND data_as_of IS NOT NULL GROUP BY time ORDER BY time",
            unit="s",
        ),
        table(
            "Episodes",
            f"""
SELECT severity, state, contract, contract_version, clause, slice, observed, limit, unit, summary, opened_at,
    resolved_at, acknowledged_by
FROM violations
WHERE {_OF_IT} AND ($__timeFilter(opened_at) OR state != 'resolved')
ORDER BY opened_at DESC
LIMIT 200
""",
            height=10,
        ),
        table(
            "Approvals",
            f"SELECT version, use_case, approval_id, approved_by, approved_at, expires, revoked_at, events, last_seen, "
            f"in_documents, events_after FROM approvals WHERE {_OF_IT} ORDER BY approved_at DESC LIMIT 100",
            12,
        ),
        table(
            "Versions seen",
            f"SELECT version, config_digest, seen_as, events, first_seen, last_seen FROM traffic WHERE {_OF_IT} "
            "ORDER BY last_seen DESC LIMIT 100",
            12,
        ),
    ],
    since="now-7d",
)
