-- What holds without a contract: agents that only call tools are among the signals, systems that no contract covers are
-- watched for drift by the defaults, and a contract named `defaults` covers what no other contract does.

CREATE OR REPLACE VIEW five_signals AS
SELECT
    served.system AS system,
    served.version AS version,
    served.day AS day,
    served.events AS events,
    served.calls AS calls,
    served.latency_p50_ms AS latency_p50_ms,
    served.latency_p95_ms AS latency_p95_ms,
    served.latency_p99_ms AS latency_p99_ms,
    known.outcomes AS outcomes,
    known.brier AS brier,
    drifting.episodes AS open_drift_episodes,
    served.abuse_share AS abuse_share,
    served.fallback_share AS fallback_share
FROM
(
    SELECT
        system, version, day, sum(decided) AS events, sum(called) AS calls, any(p50) AS latency_p50_ms,
        any(p95) AS latency_p95_ms, any(p99) AS latency_p99_ms, any(abusive) AS abuse_share,
        any(fell_back) AS fallback_share
    FROM
    (
        SELECT
            CAST(system, 'String') AS system, CAST(version, 'String') AS version, toDate(event_time, 'UTC') AS day,
            count() AS decided, 0 AS called, toNullable(quantileTDigest(0.5)(latency_ms)) AS p50,
            toNullable(quantileTDigest(0.95)(latency_ms)) AS p95, toNullable(quantileTDigest(0.99)(latency_ms)) AS p99,
            toNullable(countIf(abuse) / decided) AS abusive, toNullable(countIf(fallback) / decided) AS fell_back
        FROM inference
        GROUP BY system, version, day
        UNION ALL
        SELECT
            CAST(system, 'String'), CAST(version, 'String'), toDate(event_time, 'UTC') AS day,
            0, count(), NULL, NULL, NULL, NULL, NULL
        FROM tool_call
        GROUP BY system, version, day
    )
    GROUP BY system, version, day
) AS served
LEFT JOIN
(
    SELECT
        CAST(decided.system, 'String') AS system, CAST(decided.version, 'String') AS version,
        toDate(decided.event_time, 'UTC') AS day, count() AS outcomes,
        toNullable(avg(pow(coalesce(labels.score, decided.score) - labels.label, 2))) AS brier
    FROM outcome AS labels
    INNER JOIN inference AS decided ON labels.inference_id = decided.event_id AND labels.system = decided.system
    GROUP BY system, version, day
) AS known ON served.system = known.system AND served.version = known.version AND served.day = known.day
LEFT JOIN
(
    SELECT CAST(system, 'String') AS system, count() AS episodes
    FROM violations
    WHERE kind = 'distribution' AND state != 'resolved'
    GROUP BY system
) AS drifting ON served.system = drifting.system;

CREATE OR REPLACE VIEW covered AS
SELECT system, contract, version, seam, escalation
FROM
(
    SELECT
        system, contract, version, seam, escalation,
        countIf(contract != 'defaults') OVER (PARTITION BY system) AS contracts
    FROM
    (
        SELECT DISTINCT system, contract, version, seam, escalation
        FROM
        (
            SELECT system FROM inventory
        ) AS systems
        CROSS JOIN
        (
            SELECT DISTINCT
                contract, version, seam, escalation,
                arrayJoin(covers) AS pattern,
                concat('^', replaceAll(replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'), '$') AS expression
            FROM contract_clauses
            WHERE valid_to >= toDateTime64('2299-12-31 00:00:00', 6, 'UTC')
        ) AS patterns
        WHERE match(system, expression)
    )
)
WHERE contract != 'defaults' OR contracts = 0;

CREATE OR REPLACE VIEW drift_now AS
SELECT
    systems.system AS system,
    systems.owner AS owner,
    multiIf(
        episodes.open > 0, 'drifting',
        terms.clauses > 0, 'steady',
        terms.contracts = 0 AND systems.type != 'agent', 'steady',
        'unwatched'
    ) AS drift,
    episodes.observed AS observed,
    episodes.limit AS limit,
    episodes.unit AS unit,
    episodes.since AS since,
    episodes.person AS person,
    episodes.violation_id AS violation_id,
    systems.last_seen AS last_seen
FROM (SELECT * FROM inventory WHERE type IN ('model', 'agent', 'pipeline') AND events > 0) AS systems
LEFT JOIN
(
    SELECT pairs.system AS system, count() AS contracts, countIf(agreed.kind = 'distribution') AS clauses
    FROM contract_clauses AS agreed
    INNER JOIN (SELECT DISTINCT system, contract, version FROM covered) AS pairs
        ON agreed.contract = pairs.contract AND agreed.version = pairs.version
    GROUP BY pairs.system
) AS terms ON systems.system = terms.system
LEFT JOIN
(
    SELECT
        CAST(system, 'String') AS system, count() AS open, argMax(observed, detected_at) AS observed,
        argMax(limit, detected_at) AS limit, argMax(CAST(unit, 'Nullable(String)'), detected_at) AS unit,
        min(since) AS since, argMax(CAST(person, 'Nullable(String)'), detected_at) AS person,
        toNullable(argMax(violation_id, detected_at)) AS violation_id
    FROM violations
    WHERE kind = 'distribution' AND state != 'resolved'
    GROUP BY system
) AS episodes ON systems.system = episodes.system;
