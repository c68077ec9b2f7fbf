-- What was seen of each system, by version and configuration?
-- What is repeated is taken off the count that each part of a table keeps ready.
SELECT
    system,
    seen_as,
    version,
    config_digest,
    toUInt64(sum(seen)) AS events,
    min(earliest) AS first_seen,
    max(latest) AS last_seen
FROM
(
    SELECT
        system, 'model' AS seen_as, CAST(version, 'String') AS version,
        CAST(config_digest, 'Nullable(String)') AS config_digest,
        toInt64(count()) AS seen, min(event_time) AS earliest, max(event_time) AS latest
    FROM inference
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'agent', CAST(version, 'String'), CAST(config_digest, 'Nullable(String)'),
        toInt64(count()), min(event_time), max(event_time)
    FROM tool_call
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'dataset', ifNull(version, ''), CAST(NULL, 'Nullable(String)'),
        toInt64(count()), min(event_time), max(event_time)
    FROM dataset_refresh
    GROUP BY system, version
    UNION ALL
    SELECT
        system, transform(record_type, ['inference', 'tool_call'], ['model', 'agent'], 'dataset'),
        CAST(version, 'String'), CAST(config_digest, 'Nullable(String)'),
        -toInt64(uniqExact(topic, partition, offset)), min(event_time), max(event_time)
    FROM repeated
    WHERE record_type IN ('inference', 'tool_call', 'dataset_refresh')
    GROUP BY system, record_type, version, config_digest
)
GROUP BY system, seen_as, version, config_digest
