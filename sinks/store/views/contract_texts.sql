-- Which text of a contract version holds?
-- The first that was published, as in the stages: whatever says something else under the same id and version is kept in
-- `document`, and no answer goes by it. Withdrawals count, and the first text again.
SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
FROM
(
    SELECT
        kind, id, version, digest, published_at, document, retired, broker_time, offset,
        argMinIf(digest, (broker_time, offset), NOT retired) OVER (PARTITION BY id, version) AS first
    FROM document
    WHERE kind = 'Contract'
)
WHERE retired OR digest = first
