-- How long does each person who was asked take to answer?
-- A summary waits for its receipt as a change does for an answer, until when its clause says. A receipt of a later summary is
-- one of those before it. Of the last 100 it is waited for, as long as the clause asks the same person.
-- What was said of a violation before that was taken back answers it no more.
WITH if(
    asked.of = 'summary', asked.receipts,
    arrayFilter(given_at -> asked.of != 'change' OR given_at.1 >= asked.asked_at, given.counting)
) AS counting
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
    given.before_verdicts AS before_verdicts,
    asked.due_at AS due_at
FROM
(
    SELECT
        'violation' AS of, pages.violation_id AS reference, CAST(any(episodes.system), 'String') AS system,
        pages.person AS person, min(pages.sent_at) AS asked_at,
        toNullable(CAST(any(episodes.state), 'String')) AS state, any(episodes.acknowledged_by) AS taken_by,
        CAST(NULL, 'Nullable(DateTime64(6, ''UTC''))') AS due_at,
        CAST([], 'Array(Tuple(DateTime64(6, ''UTC''), String))') AS receipts
    FROM page AS pages
    INNER JOIN violations AS episodes ON pages.violation_id = episodes.violation_id
    -- How a drill was answered, its report tells.
    WHERE pages.result = 'delivered' AND pages.news = 'trigger' AND episodes.severity != 'drill'
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
        NULL,
        toNullable(min(addMilliseconds(changes.asked_at, toInt64(round(terms.within_seconds * 1000))))),
        []
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
            if(
                JSONExtractString(agreed, 'acknowledge_within') = '', 172800.,
                arraySum(
                    part -> toFloat64(part[1]) * transform(
                        part[2], ['ms', 's', 'm', 'h', 'd', 'w'], [0.001, 1., 60., 3600., 86400., 604800.], 0.
                    ),
                    extractAllGroupsVertical(JSONExtractString(agreed, 'acknowledge_within'), '(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d|w)')
                )
            ) AS within_seconds,
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
    UNION ALL
    SELECT
        'summary', told.notice_id, told.system, told.person, told.ended_at,
        if(told.later < 100 AND current.asks, NULL, 'over'),
        NULL,
        if(
            agreed.within_seconds IS NULL, NULL,
            toNullable(addMilliseconds(told.ended_at, toInt64(round(assumeNotNull(agreed.within_seconds) * 1000))))
        ),
        arraySort(
            arrayMap(r -> (r.2, r.3), arrayFilter(r -> r.1 >= told.ended_at, confirmed.receipts))
        )
    FROM
    (
        SELECT
            notice_id, contract, clause, system, person, version, ended_at,
            row_number() OVER (PARTITION BY contract, clause, system ORDER BY ended_at DESC) - 1 AS later
        FROM
        (
            SELECT
                notice_id, CAST(any(contract), 'String') AS contract, CAST(any(clause), 'String') AS clause,
                CAST(any(system), 'String') AS system, any(person) AS person,
                CAST(any(contract_version), 'String') AS version, min(due_at) AS ended_at
            FROM notice
            WHERE type = 'summary' AND kind NOT IN ('withdrawn', 'follow_up')
            GROUP BY notice_id
        )
    ) AS told
    LEFT JOIN
    (
        SELECT contract, version, clause, toNullable(any(within_seconds)) AS within_seconds
        FROM
        (
            SELECT
                contract, version, clause,
            if(
                JSONExtractString(agreed, 'summary', 'receipt_within') = '', 172800.,
                arraySum(
                    part -> toFloat64(part[1]) * transform(
                        part[2], ['ms', 's', 'm', 'h', 'd', 'w'], [0.001, 1., 60., 3600., 86400., 604800.], 0.
                    ),
                    extractAllGroupsVertical(JSONExtractString(agreed, 'summary', 'receipt_within'), '(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d|w)')
                )
            ) AS within_seconds
            FROM contract_clauses
            WHERE JSONHas(agreed, 'summary')
        )
        GROUP BY contract, version, clause
    ) AS agreed ON told.contract = agreed.contract AND told.version = agreed.version AND told.clause = agreed.clause
    LEFT JOIN
    (
        SELECT DISTINCT contract, clause, JSONExtractString(agreed, 'summary', 'to') AS person, true AS asks
        FROM contract_clauses
        WHERE valid_to > now64(6, 'UTC') AND JSONHas(agreed, 'summary')
    ) AS current ON told.contract = current.contract AND told.clause = current.clause AND told.person = current.person
    LEFT JOIN
    (
        SELECT
            CAST(notice.contract, 'String') AS contract, CAST(notice.clause, 'String') AS clause,
            CAST(notice.system, 'String') AS system, answers.person AS person,
            groupArray((notice.due_at, answers.answered_at, answers.answer)) AS receipts
        FROM acknowledgements AS answers
        INNER JOIN notice ON answers.reference = notice.notice_id
        WHERE answers.of = 'summary' AND ifNull(answers.counted, false) AND notice.type = 'summary'
        GROUP BY contract, clause, system, person
    ) AS confirmed ON told.contract = confirmed.contract AND told.clause = confirmed.clause
        AND told.system = confirmed.system AND told.person = confirmed.person
) AS asked
LEFT JOIN
(
    SELECT
        of, reference, person,
        arraySort(
            groupArrayIf(
                (answered_at, answer), ifNull(counted, false) AND answer != 'retract' AND answered_at > taken_back_at
            )
        ) AS counting,
        countIf(NOT counted) AS refused,
        argMaxIf(why, answered_at, NOT counted) AS refused_because,
        countIf(counted IS NULL AND reason IS NULL) AS unjudged,
        countIf(counted IS NULL AND reason = 'before_verdicts') AS before_verdicts
    FROM
    (
        SELECT
            *,
            maxIf(answered_at, answer = 'retract' AND ifNull(counted, false)) OVER (PARTITION BY of, reference) AS taken_back_at
        FROM acknowledgements
    )
    GROUP BY of, reference, person
) AS given ON asked.of = given.of AND asked.reference = given.reference AND asked.person = given.person
