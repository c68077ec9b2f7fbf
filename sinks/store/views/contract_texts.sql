-- Which text of a version of a contract, or of a risk policy, holds?
-- The first that was published, as in the stages: whatever says something else under the same id and version is kept in
-- `document`, and no answer goes by it. Withdrawals count, and the first text again.
SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
FROM
(
    SELECT
        kind, id, version, digest, published_at, document, retired, broker_time, offset,
        argMinIf(digest, (broker_time, offset), NOT retired) OVER (PARTITION BY kind, id, version) AS first
    FROM document
    WHERE kind IN ('Contract', 'RiskPolicy')
)
WHERE retired OR digest = first
