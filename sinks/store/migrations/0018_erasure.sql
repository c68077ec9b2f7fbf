-- Keys that were destroyed, so that what cannot be read any more is told from what was tampered with. One row a record;
-- it may have been sent twice. Nothing here says whose a key was.
CREATE TABLE IF NOT EXISTS erasure
(
    `key_id` String,
    `erased_at` DateTime64(6, 'UTC'),
    `person` String,
    `reason` Nullable(String),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (key_id, erased_at)
SETTINGS non_replicated_deduplication_window = 10000;

ALTER TABLE erasure ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;

-- Each destroyed key once, as it was first recorded.
CREATE OR REPLACE VIEW erasures AS
SELECT
    records.key_id AS key_id,
    argMin(records.erased_at, (records.broker_time, records.topic, records.partition, records.offset)) AS erased_at,
    argMin(records.person, (records.broker_time, records.topic, records.partition, records.offset)) AS person,
    tupleElement(
        argMin(tuple(records.reason), (records.broker_time, records.topic, records.partition, records.offset)), 1
    ) AS reason,
    min(records.broker_time) AS recorded_at
FROM erasure AS records
GROUP BY records.key_id;
