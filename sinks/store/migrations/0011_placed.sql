-- One decision by its id, among however many. The projection `placed` takes the place of `decided` and does more: it knows
-- where in its part each row is, so that a question by event_id for any column reads the granule that has the row, and
-- not a bloom filter over every row there is. Rows that were there before are put in order in the background
-- (system.mutations says how far that is); until then a question by event_id reads all ids.
ALTER TABLE inference ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, system, version, score, cohort, broker_time, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE inference MATERIALIZE PROJECTION placed;

ALTER TABLE inference DROP PROJECTION IF EXISTS decided;

ALTER TABLE inference DROP INDEX IF EXISTS by_event;

-- `why` as before; but most of its time went into planning views within views. So the documents in force and the versions
-- of contracts are read here as `documents` and `contract_clauses` define them, without these; a contract that names a
-- system is found without a pattern, and only the terms that bind are parsed.
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
