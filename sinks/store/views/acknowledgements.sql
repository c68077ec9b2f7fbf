-- Who answered what (a violation, a change, a summary), and does the answer count?
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
    given.relayed_by AS relayed_by,
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
    UNION ALL
    SELECT
        'summary', notice_id, CAST(any(system), 'String'), toNullable(any(summary)), toNullable(min(due_at)), NULL, NULL
    FROM notice
    WHERE type = 'summary' AND kind NOT IN ('withdrawn', 'follow_up')
    GROUP BY notice_id
) AS asked ON given.of = asked.of AND given.reference = asked.reference
