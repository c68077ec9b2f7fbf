-- A refresh may not say how many rows it has.
ALTER TABLE dataset_refresh MODIFY COLUMN `row_count` Nullable(Int64);

CREATE OR REPLACE VIEW refreshes AS
SELECT * EXCEPT (key, headers, raw)
FROM dataset_refresh
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'dataset_refresh')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'dataset_refresh');

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
    ifNull(concat(toString(row_count), ' rows'), 'rows not known'), topic, partition, offset
FROM refreshes
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'config_change', event_id, parent_id, CAST(system, 'String'), '', summary,
    topic, partition, offset
FROM changes
WHERE trace_id IS NOT NULL;

-- A change_id that is announced again with other content is another change, which asks for an answer of its own: one row for
-- each, and no answer from before counts for it.
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
    SELECT 'change', changes.change_id, changes.system, terms.person, min(changes.asked_at), NULL, NULL
    FROM
    (
        SELECT
            change_id, CAST(system, 'String') AS system, CAST(kind, 'String') AS kind, min(event_time) AS asked_at,
            (environment, from_value, to_value, config_digest, effective_at, summary, announced_by) AS content
        FROM config_change
        GROUP BY change_id, system, kind, content
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
