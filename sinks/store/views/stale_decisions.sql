-- Which decisions were made on data older than agreed, and by which clause or breach?
SELECT
    decisions.event_id AS event_id,
    decisions.event_time AS event_time,
    CAST(decisions.system, 'String') AS system,
    CAST(decisions.version, 'String') AS version,
    decisions.subject AS subject,
    CAST(decisions.decision, 'Nullable(String)') AS decision,
    decisions.score AS score,
    decisions.data_as_of AS data_as_of,
    dateDiff('second', decisions.data_as_of, decisions.event_time) AS age_seconds,
    'decision' AS because,
    CAST(NULL, 'Nullable(String)') AS dataset,
    clauses.contract AS contract,
    clauses.clause AS clause,
    toNullable(clauses.max_lag_seconds) AS max_lag_seconds,
    CAST(NULL, 'Nullable(String)') AS violation_id,
    decisions.topic AS topic,
    decisions.partition AS partition,
    decisions.offset AS offset
FROM decisions
INNER JOIN
(
    SELECT
        pairs.system AS system, terms.contract AS contract, terms.clause AS clause, valid_from, valid_to, max_lag_seconds
    FROM
    (
        SELECT
            contract, clause, valid_from, valid_to,
            arraySum(
                part -> toFloat64(part[1]) * transform(
                    part[2], ['ms', 's', 'm', 'h', 'd', 'w'], [0.001, 1., 60., 3600., 86400., 604800.], 0.
                ),
                extractAllGroupsVertical(JSONExtractString(agreed, 'max_lag'), '(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d|w)')
            ) AS max_lag_seconds
        FROM contract_clauses
        WHERE kind = 'freshness' AND JSONExtractString(agreed, 'of') = 'inference'
    ) AS terms
    INNER JOIN (SELECT DISTINCT system, contract FROM covered) AS pairs ON terms.contract = pairs.contract
) AS clauses ON decisions.system = clauses.system
WHERE decisions.data_as_of IS NOT NULL
    AND decisions.event_time >= clauses.valid_from AND decisions.event_time < clauses.valid_to
    AND dateDiff('microsecond', assumeNotNull(decisions.data_as_of), decisions.event_time)
        > clauses.max_lag_seconds * 1000000
UNION ALL
SELECT
    decisions.event_id, decisions.event_time, CAST(decisions.system, 'String'), CAST(decisions.version, 'String'),
    decisions.subject, CAST(decisions.decision, 'Nullable(String)'), decisions.score, decisions.data_as_of,
    dateDiff('second', decisions.data_as_of, decisions.event_time), 'dataset', toNullable(spans.dataset),
    CAST(spans.contract, 'String'), CAST(spans.clause, 'String'), NULL, toNullable(spans.violation_id),
    decisions.topic, decisions.partition, decisions.offset
FROM decisions
INNER JOIN
(
    SELECT users.system AS system, dataset, contract, clause, violation_id, opened_at, ended_at
    FROM stale_spans
    INNER JOIN
    (
        SELECT id AS system, arrayJoin(JSONExtract(document, 'depends_on', 'Array(String)')) AS needs
        FROM documents
        WHERE kind = 'System'
    ) AS users ON stale_spans.dataset = users.needs
) AS spans ON decisions.system = spans.system
WHERE decisions.event_time >= spans.opened_at AND decisions.event_time < spans.ended_at
