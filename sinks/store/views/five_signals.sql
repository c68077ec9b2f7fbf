-- How are latency, accuracy, drift, abuse and fallback of every system, by version and day?
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
) AS drifting ON served.system = drifting.system
