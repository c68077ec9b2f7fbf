-- Which version of which contract a decision or a tool call was made under: those that cover its system and were in force
-- at its time. The contract named `defaults` covers what no other one does.
CREATE OR REPLACE VIEW decided_under AS
WITH
    arrayFilter(term -> term.3 <= events.event_time AND events.event_time < term.4, agreed.terms) AS in_force,
    arrayFilter(term -> term.1 != 'defaults', in_force) AS of_contracts,
    if(empty(of_contracts), in_force, of_contracts) AS binding
SELECT
    events.event_id AS event_id,
    events.event_time AS event_time,
    events.type AS type,
    events.system AS system,
    events.version AS version,
    events.config_digest AS config_digest,
    events.use_case AS use_case,
    events.subject AS subject,
    events.cohort AS cohort,
    events.tool AS tool,
    events.decision AS decision,
    events.score AS score,
    events.trace_id AS trace_id,
    arraySort(arrayMap(term -> concat(term.1, '@', term.2), binding)) AS contracts,
    events.topic AS topic,
    events.partition AS partition,
    events.offset AS offset
FROM
(
    SELECT
        event_id, event_time, 'inference' AS type, CAST(system, 'String') AS system, CAST(version, 'String') AS version,
        CAST(config_digest, 'Nullable(String)') AS config_digest, CAST(use_case, 'String') AS use_case, subject,
        CAST(cohort, 'Nullable(String)') AS cohort, CAST(NULL, 'Nullable(String)') AS tool,
        CAST(decision, 'Nullable(String)') AS decision, score, trace_id, topic, partition, offset
    FROM decisions
    UNION ALL
    SELECT
        event_id, event_time, 'tool_call', CAST(system, 'String'), CAST(version, 'String'),
        CAST(config_digest, 'Nullable(String)'), '', '', NULL, CAST(tool, 'Nullable(String)'),
        CAST(decision, 'Nullable(String)'), NULL, trace_id, topic, partition, offset
    FROM calls
) AS events
LEFT JOIN
(
    SELECT system, groupArray((contract, version, valid_from, valid_to)) AS terms
    FROM (SELECT DISTINCT CAST(system, 'String') AS system FROM traffic) AS systems
    CROSS JOIN
    (
        SELECT DISTINCT
            contract, version, valid_from, valid_to,
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
        FROM contract_clauses
    ) AS versions
    WHERE arrayExists(expression -> match(system, expression), expressions)
    GROUP BY system
) AS agreed ON events.system = agreed.system;

-- What other views leave out, because nothing on record goes with it: outcomes without their decision, answers to what
-- nobody was asked, pages about nothing that was judged.
CREATE OR REPLACE VIEW unmatched AS
SELECT
    'outcome' AS type, event_id, event_time, CAST(system, 'String') AS system, inference_id AS reference,
    'no decision of this system has this id' AS why, topic, partition, offset
FROM outcomes
WHERE (system, inference_id) NOT IN
(
    SELECT system, event_id
    FROM inference
    WHERE event_id IN (SELECT inference_id FROM outcome)
)
UNION ALL
SELECT
    'acknowledgement', event_id, event_time, CAST(system, 'String'), reference,
    concat('no ', of, ' has this id'), topic, partition, offset
FROM answers
WHERE (of, reference) NOT IN
(
    SELECT 'violation', violation_id FROM violation
    UNION ALL
    SELECT 'change', change_id FROM config_change
    UNION ALL
    SELECT 'summary', notice_id FROM notice
)
UNION ALL
SELECT
    'page', '', sent_at, '', violation_id, 'no violation and no notice has this id', topic, partition, offset
FROM page
WHERE violation_id NOT IN
(
    SELECT violation_id FROM violation
    UNION ALL
    SELECT notice_id FROM notice
);
