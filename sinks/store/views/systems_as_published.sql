-- What did each System document say of owner, approvers and approvals, from when it was published until the next was?
SELECT id AS system, broker_time AS since, given.1 AS owner, given.2 AS approvers, given.3 AS approvals, given.4 AS risk_tier
FROM
(
    SELECT
        id, broker_time,
        argMax(
            (
                JSONExtractString(document, 'owner'),
                JSONExtract(document, 'approvers', 'Array(String)'),
                CAST(arrayFlatten(arrayMap(
                    entry -> arrayMap(
                        approval -> (
                            entry.version, entry.config_digest, approval.id,
                            approval.use_case, approval.approved_by,
                            parseDateTime64BestEffortOrNull(approval.approved_at, 6, 'UTC'),
                            parseDateTime64BestEffortOrNull(approval.expires, 6, 'UTC'),
                            parseDateTime64BestEffortOrNull(approval.revoked_at, 6, 'UTC'),
                            has(approval.signatures.person, approval.approved_by)
                        ),
                        entry.approvals
                    ),
                    JSONExtract(
                        document, 'versions',
                        'Array(Tuple(version String, config_digest String, approvals Array(Tuple(
                            id String, use_case String, approved_by String, approved_at String, expires String,
                            revoked_at String, signatures Array(Tuple(person String))))))'
                    )
                )),
                'Array(Tuple(version String, config_digest String, id String, use_case String, approved_by String,
                    approved_at Nullable(DateTime64(6, \'UTC\')),
                    expires Nullable(DateTime64(6, \'UTC\')), revoked_at Nullable(DateTime64(6, \'UTC\')), signed Bool))'),
                JSONExtractString(document, 'risk_tier')
            ),
            offset
        ) AS given
    FROM document
    WHERE kind = 'System'
    GROUP BY id, broker_time
)
