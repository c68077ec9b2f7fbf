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

CREATE OR REPLACE VIEW why AS
WITH
    (
        SELECT groupArray((contract, version, escalation, expressions))
        FROM
        (
            SELECT
                contract, version, escalation,
                arrayMap(
                    pattern -> concat(
                        '^',
                        replaceAll(
                            replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'
                        ),
                        '$'
                    ),
                    covers
                ) AS expressions
            FROM
            (
                SELECT
                    id AS contract, version, JSONExtract(document, 'covers', 'Array(String)') AS covers,
                    arrayMap(s -> JSONExtractString(s, 'person'), JSONExtractArrayRaw(document, 'escalation'))
                        AS escalation
                FROM documents
                WHERE kind = 'Contract'
                ORDER BY published_at DESC, version DESC
                LIMIT 1 BY contract
            )
            ORDER BY contract
        )
    ) AS agreed,
    arrayFilter(terms -> arrayExists(expression -> match(decisions.system, expression), terms.4), agreed) AS matching,
    arrayFilter(terms -> terms.1 != 'defaults', matching) AS of_contracts,
    if(empty(of_contracts), matching, of_contracts) AS binding
SELECT
    decisions.event_id AS event_id,
    decisions.event_time AS event_time,
    decisions.type AS type,
    decisions.system AS system,
    decisions.version AS version,
    decisions.config_digest AS config_digest,
    decisions.use_case AS use_case,
    decisions.subject AS subject,
    decisions.decision AS decision,
    decisions.score AS score,
    decisions.claimed_approval AS claimed_approval,
    approved.approval_id AS approval_id,
    approved.approved_by AS approved_by,
    approved.approved_at AS approved_at,
    approved.expires AS expires,
    hook.owner AS owner,
    hook.name AS owner_name,
    arraySort(arrayMap(terms -> concat(terms.1, '@', terms.2), binding)) AS contracts,
    arrayDistinct(arrayFlatten(arrayMap(terms -> terms.3, binding))) AS escalation,
    decisions.topic AS topic,
    decisions.partition AS partition,
    decisions.offset AS offset
FROM
(
    SELECT
        event_id, event_time, 'inference' AS type, CAST(system, 'String') AS system, CAST(version, 'String') AS version,
        ifNull(CAST(config_digest, 'Nullable(String)'), '') AS config_digest, CAST(use_case, 'String') AS use_case,
        subject, CAST(decision, 'Nullable(String)') AS decision, score,
        CAST(approval_id, 'Nullable(String)') AS claimed_approval, topic, partition, offset
    FROM inference
    UNION ALL
    SELECT
        event_id, event_time, 'tool_call', CAST(system, 'String'), CAST(version, 'String'),
        ifNull(CAST(config_digest, 'Nullable(String)'), ''), '', '', CAST(decision, 'Nullable(String)'), NULL,
        NULL, topic, partition, offset
    FROM tool_call
) AS decisions
LEFT JOIN
(
    SELECT
        id AS system,
        JSONExtractString(entry, 'version') AS version,
        JSONExtractString(entry, 'config_digest') AS config_digest,
        if(place > JSONLength(entry, 'approvals'), '', JSONExtractString(approval, 'use_case')) AS use_case,
        toNullable(JSONExtractString(approval, 'id')) AS approval_id,
        toNullable(JSONExtractString(approval, 'approved_by')) AS approved_by,
        parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'approved_at'), 6, 'UTC') AS approved_at,
        parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'expires'), 6, 'UTC') AS expires
    FROM
    (
        SELECT id, arrayJoin(JSONExtractArrayRaw(document, 'versions')) AS entry
        FROM documents
        WHERE kind = 'System'
    )
    -- A tool call names no use case: the first approval of what it runs on stands for it.
    ARRAY JOIN
        arrayConcat(
            JSONExtractArrayRaw(entry, 'approvals'), arraySlice(JSONExtractArrayRaw(entry, 'approvals'), 1, 1)
        ) AS approval,
        arrayEnumerate(
            arrayConcat(
                JSONExtractArrayRaw(entry, 'approvals'), arraySlice(JSONExtractArrayRaw(entry, 'approvals'), 1, 1)
            )
        ) AS place
) AS approved
    ON decisions.system = approved.system AND decisions.version = approved.version
    AND decisions.config_digest = approved.config_digest AND decisions.use_case = approved.use_case
LEFT JOIN
(
    SELECT systems.id AS system, systems.owner AS owner, persons.name AS name
    FROM (SELECT id, JSONExtractString(document, 'owner') AS owner FROM documents WHERE kind = 'System') AS systems
    LEFT JOIN
    (
        SELECT id, JSONExtractString(document, 'name') AS name FROM documents WHERE kind = 'Person'
    ) AS persons ON systems.owner = persons.id
) AS hook ON decisions.system = hook.system;
