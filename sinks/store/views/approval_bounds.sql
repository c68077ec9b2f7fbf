-- When may what allows a decision change: at which times of documents, and of what approvals name?
SELECT DISTINCT at
FROM
(
    SELECT toDateTime64(broker_time, 6, 'UTC') AS at
    FROM document
    WHERE kind IN ('System', 'Person')
    UNION ALL
    SELECT assumeNotNull(parseDateTime64BestEffortOrNull(arrayJoin(arrayFlatten(arrayMap(
        entry -> arrayMap(approval -> [approval.approved_at, approval.expires, approval.revoked_at], entry.approvals),
        JSONExtract(
            document, 'versions',
            'Array(Tuple(approvals Array(Tuple(approved_at String, expires String, revoked_at String))))'
        )
    ))), 6, 'UTC') AS bound)
    FROM document
    WHERE kind = 'System' AND bound IS NOT NULL
)
