"""On call: what is open, who must act, what runs, and whether the watching itself works. Over the store."""

from __future__ import annotations

from model import STORE, dashboard, lines, source, stat, table

_OPEN = "FROM violations WHERE state != 'resolved'"

DASHBOARD = dashboard(
    "seamwatch-on-call",
    "Seamwatch: on call",
    "What is open now and who must act; every system that runs. The board shows the same with what to do about it.",
    [source("store", "Store", STORE)],
    [
        stat("Breaches open", f"SELECT count() AS breaches {_OPEN} AND severity = 'breach'", red_above=1),
        stat("Warnings open", f"SELECT count() AS warnings {_OPEN} AND severity = 'warning'"),
        stat("Not acknowledged", f"SELECT count() AS waiting {_OPEN} AND acknowledged_at IS NULL", red_above=1),
        stat(
            "Systems that drift",
            "SELECT countIf(drift = 'drifting') AS drifting FROM drift_now",
            red_above=1,
        ),
        stat(
            "Systems nobody declared",
            "SELECT countIf(NOT registered) AS undeclared FROM inventory",
            red_above=1,
        ),
        stat(
            "Outages of Seamwatch",
            "SELECT count() AS outages FROM (SELECT state FROM outage ORDER BY broker_time DESC, offset DESC "
            "LIMIT 1 BY outage_id) WHERE state = 'open'",
            red_above=1,
            says="As the pager saw them: a stage that stands still, falls behind or restarts.",
        ),
        table(
            "Open episodes",
            f"""
SELECT severity, state, system, contract, clause, summary, opened_at, person AS must_act, acknowledged_by
{_OPEN}
ORDER BY severity, opened_at
LIMIT 200
""",
            height=10,
        ),
        table(
            "Suspended",
            """
SELECT system, version, tool, person, reason, since, until, contract
FROM suspended_now
WHERE until IS NULL OR until > now()
ORDER BY since DESC
LIMIT 100
""",
            height=6,
        ),
        lines(
            "Episodes that opened",
            """
SELECT $__timeInterval(opened_at) AS time, countIf(severity = 'breach') AS breaches,
    countIf(severity = 'warning') AS warnings
FROM violations
WHERE $__timeFilter(opened_at)
GROUP BY time
ORDER BY time
""",
        ),
        table(
            "How long people took to answer",
            """
SELECT person, count() AS asked, countIf(answered_at IS NULL AND waiting) AS waiting,
    quantileExactIf(0.5)(latency_seconds, isNotNull(latency_seconds)) AS median_seconds,
    max(latency_seconds) AS longest_seconds
FROM acknowledgement_latency
WHERE $__timeFilter(asked_at)
GROUP BY person
ORDER BY waiting DESC, median_seconds DESC
LIMIT 100
""",
            12,
        ),
        table(
            "What runs",
            """
SELECT system, type, owner, team, arrayStringConcat(versions, ', ') AS versions, events, last_seen, registered,
    last_review
FROM inventory
ORDER BY registered, last_seen DESC
LIMIT 500
""",
            height=10,
        ),
        table(
            "Drift",
            "SELECT system, owner, drift, observed, limit, unit, since, person AS must_act FROM drift_now "
            "ORDER BY drift, system LIMIT 500",
            12,
        ),
        table(
            "Outages",
            """
SELECT fault, stage, state, since, until, summary
FROM (SELECT * FROM outage ORDER BY broker_time DESC, offset DESC LIMIT 1 BY outage_id)
WHERE $__timeFilter(since) OR state = 'open'
ORDER BY since DESC
LIMIT 100
""",
            12,
        ),
    ],
)
