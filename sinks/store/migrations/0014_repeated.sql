-- One event is one event in every answer, however often it was delivered. The record keeps each delivery, at its own
-- offset; here is which of them are repetitions: of the rows that have one event_id all but the first to arrive. The
-- recorder finds them when it has written a range, whatever lies between an event and its repetition (sinks/record/repeats.py).
-- The same row may have been written twice, with the same content but for when it was found.
CREATE TABLE IF NOT EXISTS repeated
(
    `record_type` LowCardinality(String),
    `event_id` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64,
    `broker_time` DateTime64(3, 'UTC'),
    `event_time` DateTime64(6, 'UTC'),
    `system` LowCardinality(String),
    `version` LowCardinality(String),
    `config_digest` LowCardinality(Nullable(String)),
    `first_topic` LowCardinality(String),
    `first_partition` Int32,
    `first_offset` Int64,
    `found_at` DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY (record_type, toYYYYMM(broker_time))
ORDER BY (topic, partition, offset);

-- How far each topic partition has been looked through for repetitions: up to the highest `next_offset`.
CREATE TABLE IF NOT EXISTS repeated_until
(
    `topic` LowCardinality(String),
    `partition` Int32,
    `next_offset` Int64,
    `looked_at` DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition);

-- Events by their ids, in the tables that had no such order yet: a repetition may be of any age.
ALTER TABLE config_change ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE config_change MATERIALIZE PROJECTION placed;

ALTER TABLE acknowledgement ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE acknowledgement MATERIALIZE PROJECTION placed;

ALTER TABLE dataset_refresh ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE dataset_refresh MATERIALIZE PROJECTION placed;

ALTER TABLE outcome ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE outcome MATERIALIZE PROJECTION placed;

ALTER TABLE attestation ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE attestation MATERIALIZE PROJECTION placed;

-- The views below are of events, each once: without what is repeated, and without the bytes of the record. Of most rows the
-- time alone tells that they are no repetition; where they lie has to be read of the others only.

CREATE OR REPLACE VIEW decisions AS
SELECT * EXCEPT (key, headers, raw)
FROM inference
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'inference')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'inference');

CREATE OR REPLACE VIEW calls AS
SELECT * EXCEPT (key, headers, raw)
FROM tool_call
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'tool_call')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'tool_call');

CREATE OR REPLACE VIEW outcomes AS
SELECT * EXCEPT (key, headers, raw)
FROM outcome
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'outcome')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'outcome');

CREATE OR REPLACE VIEW refreshes AS
SELECT * EXCEPT (key, headers, raw)
FROM dataset_refresh
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'dataset_refresh')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'dataset_refresh');

CREATE OR REPLACE VIEW changes AS
SELECT * EXCEPT (key, headers, raw)
FROM config_change
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'config_change')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'config_change');

CREATE OR REPLACE VIEW answers AS
SELECT * EXCEPT (key, headers, raw)
FROM acknowledgement
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'acknowledgement')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'acknowledgement');

CREATE OR REPLACE VIEW attestations AS
SELECT * EXCEPT (key, headers, raw)
FROM attestation
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'attestation')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'attestation');

-- What was seen of each system, as before; what is repeated is taken off the count that each part of a table keeps ready.
CREATE OR REPLACE VIEW traffic AS
SELECT
    system,
    seen_as,
    version,
    config_digest,
    toUInt64(sum(seen)) AS events,
    min(earliest) AS first_seen,
    max(latest) AS last_seen
FROM
(
    SELECT
        system, 'model' AS seen_as, CAST(version, 'String') AS version,
        CAST(config_digest, 'Nullable(String)') AS config_digest,
        toInt64(count()) AS seen, min(event_time) AS earliest, max(event_time) AS latest
    FROM inference
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'agent', CAST(version, 'String'), CAST(config_digest, 'Nullable(String)'),
        toInt64(count()), min(event_time), max(event_time)
    FROM tool_call
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'dataset', ifNull(version, ''), CAST(NULL, 'Nullable(String)'),
        toInt64(count()), min(event_time), max(event_time)
    FROM dataset_refresh
    GROUP BY system, version
    UNION ALL
    SELECT
        system, transform(record_type, ['inference', 'tool_call'], ['model', 'agent'], 'dataset'),
        CAST(version, 'String'), CAST(config_digest, 'Nullable(String)'),
        -toInt64(uniqExact(topic, partition, offset)), min(event_time), max(event_time)
    FROM repeated
    WHERE record_type IN ('inference', 'tool_call', 'dataset_refresh')
    GROUP BY system, record_type, version, config_digest
)
GROUP BY system, seen_as, version, config_digest;

-- The questions over them, as before.
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
    FROM violations
    WHERE kind = 'distribution' AND state != 'resolved'
    GROUP BY system
) AS drifting ON served.system = drifting.system;

CREATE OR REPLACE VIEW stale_decisions AS
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
WHERE decisions.event_time >= spans.opened_at AND decisions.event_time < spans.ended_at;

CREATE OR REPLACE VIEW trail AS
SELECT
    trace_id, event_time, 'inference' AS type, event_id, parent_id, CAST(system, 'String') AS system,
    CAST(version, 'String') AS version, concat(use_case, ': ', ifNull(decision, 'no decision')) AS what,
    topic, partition, offset
FROM decisions
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'tool_call', event_id, parent_id, CAST(system, 'String'), CAST(version, 'String'),
    concat(tool, ': ', decision), topic, partition, offset
FROM calls
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'outcome', event_id, parent_id, CAST(system, 'String'), '', concat('label ', toString(label)),
    topic, partition, offset
FROM outcomes
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'dataset_refresh', event_id, parent_id, CAST(system, 'String'), ifNull(version, ''),
    concat(toString(row_count), ' rows'), topic, partition, offset
FROM refreshes
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'config_change', event_id, parent_id, CAST(system, 'String'), '', summary,
    topic, partition, offset
FROM changes
WHERE trace_id IS NOT NULL;

-- Planning is most of its time, so it reads the tables themselves.
CREATE OR REPLACE VIEW why AS
WITH
    arrayFilter(
        terms -> has(terms.4, decisions.system) OR arrayExists(expression -> match(decisions.system, expression), terms.5),
        agreed.contracts
    ) AS matching,
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
    parseDateTime64BestEffortOrNull(approved.approved_at, 6, 'UTC') AS approved_at,
    parseDateTime64BestEffortOrNull(approved.expires, 6, 'UTC') AS expires,
    declared.owner AS owner,
    persons.name AS owner_name,
    arraySort(arrayMap(terms -> concat(terms.1, '@', terms.2), binding)) AS contracts,
    arrayDistinct(arrayFlatten(arrayMap(
        terms -> JSONExtract(terms.3, 'escalation', 'Array(Tuple(person String))').person, binding
    ))) AS escalation,
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
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'inference')
    UNION ALL
    SELECT
        event_id, event_time, 'tool_call', CAST(system, 'String'), CAST(version, 'String'),
        ifNull(CAST(config_digest, 'Nullable(String)'), ''), '', '', CAST(decision, 'Nullable(String)'), NULL,
        NULL, topic, partition, offset
    FROM tool_call
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'tool_call')
) AS decisions
LEFT JOIN
(
    SELECT
        system, entry.version AS version, entry.config_digest AS config_digest,
        if(place > length(entry.approvals), '', approval.use_case) AS use_case,
        toNullable(approval.id) AS approval_id, toNullable(approval.approved_by) AS approved_by,
        approval.approved_at AS approved_at, approval.expires AS expires
    FROM
    (
        SELECT
            id AS system,
            arrayJoin(JSONExtract(
                argMax(document, (broker_time, offset)), 'versions',
                'Array(Tuple(version String, config_digest String, approvals Array(Tuple(
                    id String, use_case String, approved_by String, approved_at String, expires String))))'
            )) AS entry
        FROM document
        WHERE kind = 'System'
        GROUP BY id
        HAVING NOT argMax(retired, (broker_time, offset))
    )
    -- A tool call names no use case: the first approval of what it runs on stands for it.
    ARRAY JOIN
        arrayConcat(entry.approvals, arraySlice(entry.approvals, 1, 1)) AS approval,
        arrayEnumerate(arrayConcat(entry.approvals, arraySlice(entry.approvals, 1, 1))) AS place
) AS approved
    ON decisions.system = approved.system AND decisions.version = approved.version
    AND decisions.config_digest = approved.config_digest AND decisions.use_case = approved.use_case
LEFT JOIN
(
    SELECT id AS system, JSONExtractString(argMax(document, (broker_time, offset)), 'owner') AS owner
    FROM document
    WHERE kind = 'System'
    GROUP BY id
    HAVING NOT argMax(retired, (broker_time, offset))
) AS declared ON decisions.system = declared.system
LEFT JOIN
(
    SELECT id, JSONExtractString(argMax(document, (broker_time, offset)), 'name') AS name
    FROM document
    WHERE kind = 'Person'
    GROUP BY id
    HAVING NOT argMax(retired, (broker_time, offset))
) AS persons ON declared.owner = persons.id
CROSS JOIN
(
    -- One row. The number is there for who asks for no contract: of a cross join the narrowest column is always carried.
    SELECT groupArray((contract, version, document, covers, expressions)) AS contracts, count() AS number
    FROM
    (
        SELECT
            contract, version, document,
            JSONExtract(document, 'covers', 'Array(String)') AS covers,
            arrayMap(
                pattern -> concat(
                    '^',
                    replaceAll(
                        replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'
                    ),
                    '$'
                ),
                arrayFilter(pattern -> match(pattern, '[*?]'), covers)
            ) AS expressions
        FROM
        (
            SELECT
                contract, version, document, valid_from,
                leadInFrame(valid_from, 1, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) OVER (
                    PARTITION BY contract ORDER BY valid_from, published, version
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS valid_to
            FROM
            (
                SELECT
                    id AS contract, version, argMax(document, (broker_time, offset)) AS document,
                    assumeNotNull(argMax(published_at, (broker_time, offset))) AS published,
                    JSONExtractString(document, 'effective_from') AS dated,
                    multiIf(
                        dated != '', parseDateTime64BestEffortOrZero(dated, 6, 'UTC'),
                        published = min(published) OVER (PARTITION BY contract)
                            AND row_number() OVER (PARTITION BY contract, dated = '' ORDER BY published, version) = 1,
                        toDateTime64('1900-01-01 00:00:00', 6, 'UTC'),
                        published
                    ) AS valid_from
                FROM document
                WHERE kind = 'Contract'
                GROUP BY id, version
                HAVING NOT argMax(retired, (broker_time, offset))
            )
        )
        WHERE valid_from <= now64(6) AND now64(6) < valid_to
        ORDER BY contract
    )
) AS agreed;
