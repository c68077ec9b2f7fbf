-- Which documents are published, every version in its first text, without those withdrawn?
SELECT kind, id, version, digest, published_at, document
FROM
(
    SELECT kind, id, version, digest, published_at, document, retired
    FROM
    (
        SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
        FROM document
        WHERE kind NOT IN ('Contract', 'RiskPolicy')
        UNION ALL
        SELECT kind, id, version, digest, published_at, document, retired, broker_time, offset
        FROM contract_texts
    )
    ORDER BY broker_time DESC, offset DESC
    LIMIT 1 BY kind, id, version
)
WHERE NOT retired
