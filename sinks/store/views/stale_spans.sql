-- When did a dataset breach its freshness, as spans of event time?
SELECT
    violation_id, contract, clause, CAST(system, 'String') AS dataset, opened_at,
    ifNull(resolved_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) AS ended_at
FROM violations
WHERE kind = 'freshness' AND severity = 'breach'
    AND system IN (SELECT id FROM documents WHERE kind = 'System' AND JSONExtractString(document, 'type') = 'dataset')
