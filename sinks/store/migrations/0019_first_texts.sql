-- Of a contract version the first text that was published holds, as in the stages: whatever says something else under the
-- same id and version is kept in `document`, and no answer goes by it. Withdrawals count, and the first text again.
CREATE OR REPLACE VIEW contract_texts AS
SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
FROM
(
    SELECT
        kind, id, version, digest, published_at, document, retired, broker_time, offset,
        argMinIf(digest, (broker_time, offset), NOT retired) OVER (PARTITION BY id, version) AS first
    FROM document
    WHERE kind = 'Contract'
)
WHERE retired OR digest = first;

-- Documents as last published, every version of a contract in its first text; withdrawn ones are left out.
CREATE OR REPLACE VIEW documents AS
SELECT kind, id, version, digest, published_at, document
FROM
(
    SELECT kind, id, version, digest, published_at, document, retired
    FROM
    (
        SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
        FROM document
        WHERE kind != 'Contract'
        UNION ALL
        SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
        FROM contract_texts
    )
    ORDER BY broker_time DESC, offset DESC
    LIMIT 1 BY kind, id, version
)
WHERE NOT retired;
