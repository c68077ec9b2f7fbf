-- What the judge made of each acknowledgement: whether it counts, and why not. ClickHouse cannot tell by itself: it verifies
-- no signature, and who is asked may depend on when.
CREATE TABLE IF NOT EXISTS verdict
(
    `acknowledgement_id` String,
    `system` LowCardinality(String),
    `of` LowCardinality(String),
    `reference` String,
    `person` String,
    `answer` LowCardinality(String),
    `counted` Bool,
    `reason` LowCardinality(String),
    `summary` String,
    `contract` LowCardinality(Nullable(String)),
    `contract_version` LowCardinality(Nullable(String)),
    `clause` LowCardinality(Nullable(String)),
    `answered_at` DateTime64(6, 'UTC'),
    `judged_at` DateTime64(6, 'UTC'),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1)),
    INDEX by_offset offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (reference, acknowledgement_id, offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Every answer, beside what it answers, and what the judge made of it. Of several verdicts one that counts holds, else the
-- latest. An answer from before there were verdicts counts if the episode says so; of others it will never be known.
CREATE OR REPLACE VIEW acknowledgements AS
SELECT
    given.event_id AS event_id,
    given.event_time AS answered_at,
    CAST(given.system, 'String') AS system,
    CAST(given.of, 'String') AS of,
    given.reference AS reference,
    given.person AS person,
    CAST(given.answer, 'String') AS answer,
    given.note AS note,
    given.key_id AS key_id,
    given.signature IS NOT NULL AS signed,
    multiIf(
        judged.judged_at IS NOT NULL, toNullable(judged.counted),
        asked.acknowledged_by = given.person AND asked.acknowledged_at = given.event_time, toNullable(true),
        NULL
    ) AS counted,
    multiIf(
        judged.judged_at IS NOT NULL, judged.reason,
        given.broker_time < (
            SELECT greatest(
                (SELECT min(applied_at) FROM migration WHERE name = 'verdict'), (SELECT min(broker_time) FROM verdict)
            )
        ), toNullable('before_verdicts'),
        NULL
    ) AS reason,
    multiIf(
        judged.reason = 'unknown' AND asked.system != '' AND asked.system != given.system,
        concat(given.of, ' ', given.reference, ' is of ', asked.system, ', and the answer names ', given.system),
        judged.why
    ) AS why,
    judged.judged_at AS judged_at,
    asked.summary AS summary,
    asked.since AS asked_since,
    given.topic AS topic,
    given.partition AS partition,
    given.offset AS offset
FROM answers AS given
LEFT JOIN
(
    SELECT
        acknowledgement_id, newest.1 AS counted, toNullable(newest.2) AS reason, toNullable(newest.3) AS why,
        toNullable(newest.4) AS judged_at
    FROM
    (
        SELECT
            acknowledgement_id,
            argMax((counted, CAST(reason, 'String'), summary, judged_at), (counted, broker_time, offset)) AS newest
        FROM verdict
        GROUP BY acknowledgement_id
    )
) AS judged ON given.event_id = judged.acknowledgement_id
LEFT JOIN
(
    SELECT
        'violation' AS of, violation_id AS reference, CAST(system, 'String') AS system, toNullable(summary) AS summary,
        toNullable(opened_at) AS since, acknowledged_by, acknowledged_at
    FROM violations
    UNION ALL
    SELECT
        'change', change_id, CAST(any(system), 'String'), toNullable(any(summary)), toNullable(min(event_time)),
        NULL, NULL
    FROM config_change
    GROUP BY change_id
) AS asked ON given.of = asked.of AND given.reference = asked.reference;

-- How long each person who was asked took to answer; who has given no answer that counts has no answer and no latency.
-- What somebody else has taken on, and what is over, waits for nobody.
CREATE OR REPLACE VIEW acknowledgement_latency AS
SELECT
    asked.of AS of,
    asked.reference AS reference,
    asked.system AS system,
    asked.person AS person,
    asked.asked_at AS asked_at,
    given.first_at AS answered_at,
    given.first_answer AS answer,
    if(given.first_at IS NULL, NULL, dateDiff('millisecond', asked.asked_at, given.first_at) / 1000) AS latency_seconds,
    given.first_at IS NULL AND given.before_verdicts = 0
        AND ifNull(asked.state IN ('open', 'escalated'), true) AS waiting,
    asked.state AS state,
    asked.taken_by AS taken_by,
    given.refused AS refused,
    given.refused_because AS refused_because,
    given.unjudged AS unjudged,
    given.before_verdicts AS before_verdicts
FROM
(
    SELECT
        'violation' AS of, pages.violation_id AS reference, CAST(any(episodes.system), 'String') AS system,
        pages.person AS person, min(pages.sent_at) AS asked_at,
        toNullable(CAST(any(episodes.state), 'String')) AS state, any(episodes.acknowledged_by) AS taken_by
    FROM page AS pages
    INNER JOIN violations AS episodes ON pages.violation_id = episodes.violation_id
    WHERE pages.result = 'delivered'
    GROUP BY pages.violation_id, pages.person
    UNION ALL
    SELECT 'change', changes.change_id, changes.system, terms.person, min(changes.asked_at), NULL, NULL
    FROM
    (
        SELECT change_id, CAST(system, 'String') AS system, CAST(kind, 'String') AS kind, min(event_time) AS asked_at
        FROM config_change
        GROUP BY change_id, system, kind
    ) AS changes
    INNER JOIN
    (
        SELECT
            pairs.system AS system, valid_from, valid_to,
            JSONExtract(agreed, 'kinds', 'Array(String)') AS kinds,
            arrayJoin(JSONExtract(agreed, 'acknowledgers', 'Array(String)')) AS person
        FROM contract_clauses
        INNER JOIN (SELECT DISTINCT system, contract FROM covered) AS pairs ON contract_clauses.contract = pairs.contract
        WHERE kind = 'change_notice'
    ) AS terms ON changes.system = terms.system
    WHERE changes.asked_at >= terms.valid_from AND changes.asked_at < terms.valid_to
        AND (empty(terms.kinds) OR has(terms.kinds, changes.kind))
    GROUP BY changes.change_id, changes.system, terms.person
) AS asked
LEFT JOIN
(
    SELECT
        of, reference, person,
        minIf(toNullable(answered_at), counted) AS first_at,
        argMinIf(toNullable(answer), answered_at, counted) AS first_answer,
        countIf(NOT counted) AS refused,
        argMaxIf(why, answered_at, NOT counted) AS refused_because,
        countIf(counted IS NULL AND reason IS NULL) AS unjudged,
        countIf(counted IS NULL AND reason = 'before_verdicts') AS before_verdicts
    FROM acknowledgements
    GROUP BY of, reference, person
) AS given ON asked.of = given.of AND asked.reference = given.reference AND asked.person = given.person;
