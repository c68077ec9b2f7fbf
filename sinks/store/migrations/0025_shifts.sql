-- A clause of kind `distribution` has other findings than scores that shifted (a share): a review that is overdue (a time),
-- and that nothing could be judged for long. Neither is drift.
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
    FROM violations AS found
    WHERE kind = 'distribution' AND state != 'resolved' AND found.unit = 'share'
    GROUP BY system
) AS episodes ON systems.system = episodes.system;

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
            count() AS decided, 0 AS called,
            -- Of nothing, such as where no decision told its latency, the digest makes NaN.
            arrayMap(x -> if(isNaN(x), NULL, x), quantilesTDigest(0.5, 0.95, 0.99)(latency_ms)) AS latencies,
            latencies[1] AS p50, latencies[2] AS p95, latencies[3] AS p99,
            toNullable(countIf(abuse) / decided) AS abusive, toNullable(countIf(fallback) / decided) AS fell_back
        FROM decisions
        GROUP BY system, version, day
        UNION ALL
        SELECT
            CAST(system, 'String'), CAST(version, 'String'), toDate(event_time, 'UTC') AS day,
            0, count(), [], NULL, NULL, NULL, NULL, NULL
        FROM calls
        GROUP BY system, version, day
    )
    GROUP BY system, version, day
) AS served
LEFT JOIN
(
    SELECT system, version, day, count() AS outcomes, toNullable(avg(squared)) AS brier
    FROM
    (
        -- Of an outcome or a decision that is there twice, each copy meets each: one row an outcome.
        SELECT
            CAST(decided.system, 'String') AS system, CAST(decided.version, 'String') AS version,
            toDate(decided.event_time, 'UTC') AS day, labels.event_id AS outcome_id,
            any(pow(coalesce(labels.score, decided.score) - labels.label, 2)) AS squared
        FROM outcome AS labels
        INNER JOIN inference AS decided
            ON cityHash64(labels.inference_id) = cityHash64(decided.event_id)
            AND NOT labels.inference_id != decided.event_id AND NOT labels.system != decided.system
        GROUP BY system, version, day, outcome_id
    )
    GROUP BY system, version, day
) AS known ON served.system = known.system AND served.version = known.version AND served.day = known.day
LEFT JOIN
(
    SELECT CAST(system, 'String') AS system, count() AS episodes
    FROM violations AS found
    WHERE kind = 'distribution' AND state != 'resolved' AND found.unit = 'share'
    GROUP BY system
) AS drifting ON served.system = drifting.system;
