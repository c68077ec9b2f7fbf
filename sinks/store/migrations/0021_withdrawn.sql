-- A change can be withdrawn, and an answer to one says which announcement it answers.
ALTER TABLE config_change ADD COLUMN IF NOT EXISTS `withdrawn` Bool DEFAULT false AFTER `signatures`;

ALTER TABLE acknowledgement ADD COLUMN IF NOT EXISTS `change_digest` Nullable(String) AFTER `signature`;

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

-- Every answer, beside what it answers.
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
    given.change_digest AS change_digest,
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
    WHERE NOT withdrawn
    GROUP BY change_id
) AS asked ON given.of = asked.of AND given.reference = asked.reference;

-- What was withdrawn waits for nobody: its state says so. Whether a withdrawal was signed as it must be, only the judge verifies.
CREATE OR REPLACE VIEW acknowledgement_latency AS
WITH arrayFilter(given_at -> asked.of != 'change' OR given_at.1 >= asked.asked_at, given.counting) AS counting
SELECT
    asked.of AS of,
    asked.reference AS reference,
    asked.system AS system,
    asked.person AS person,
    asked.asked_at AS asked_at,
    if(empty(counting), NULL, counting[1].1) AS answered_at,
    if(empty(counting), NULL, counting[1].2) AS answer,
    if(answered_at IS NULL, NULL, dateDiff('millisecond', asked.asked_at, answered_at) / 1000) AS latency_seconds,
    answered_at IS NULL AND given.before_verdicts = 0
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
    SELECT
        'change', changes.change_id, changes.system, terms.person, min(changes.asked_at),
        if(
            max(arrayExists(
                back -> back.2 >= changes.asked_at AND (back.1 = changes.content.7 OR has(terms.signatories, back.1)),
                withdrawals.taken_back
            )),
            'withdrawn', NULL
        ),
        NULL
    FROM
    (
        SELECT
            change_id, CAST(system, 'String') AS system, CAST(kind, 'String') AS kind, min(event_time) AS asked_at,
            (environment, from_value, to_value, config_digest, effective_at, summary, announced_by) AS content
        FROM config_change
        WHERE NOT withdrawn
        GROUP BY change_id, system, kind, content
    ) AS changes
    LEFT JOIN
    (
        SELECT change_id, CAST(system, 'String') AS system, groupArray((announced_by, event_time)) AS taken_back
        FROM config_change
        WHERE withdrawn
        GROUP BY change_id, system
    ) AS withdrawals ON changes.change_id = withdrawals.change_id AND changes.system = withdrawals.system
    INNER JOIN
    (
        SELECT
            pairs.system AS system, valid_from, valid_to,
            JSONExtract(agreed, 'kinds', 'Array(String)') AS kinds,
            parties.signatories AS signatories,
            arrayJoin(JSONExtract(agreed, 'acknowledgers', 'Array(String)')) AS person
        FROM contract_clauses
        INNER JOIN (SELECT DISTINCT system, contract FROM covered) AS pairs ON contract_clauses.contract = pairs.contract
        LEFT JOIN
        (
            SELECT
                id AS contract, version,
                [
                    JSONExtractString(document, 'parties', 'provider', 'signatory'),
                    JSONExtractString(document, 'parties', 'consumer', 'signatory')
                ] AS signatories
            FROM documents
            WHERE kind = 'Contract'
        ) AS parties ON contract_clauses.contract = parties.contract AND contract_clauses.version = parties.version
        WHERE contract_clauses.kind = 'change_notice'
    ) AS terms ON changes.system = terms.system
    WHERE changes.asked_at >= terms.valid_from AND changes.asked_at < terms.valid_to
        AND (empty(terms.kinds) OR has(terms.kinds, changes.kind))
    GROUP BY changes.change_id, changes.system, changes.kind, changes.content, terms.person
) AS asked
LEFT JOIN
(
    SELECT
        of, reference, person,
        arraySort(groupArrayIf((answered_at, answer), ifNull(counted, false))) AS counting,
        countIf(NOT counted) AS refused,
        argMaxIf(why, answered_at, NOT counted) AS refused_because,
        countIf(counted IS NULL AND reason IS NULL) AS unjudged,
        countIf(counted IS NULL AND reason = 'before_verdicts') AS before_verdicts
    FROM acknowledgements
    GROUP BY of, reference, person
) AS given ON asked.of = given.of AND asked.reference = given.reference AND asked.person = given.person;
