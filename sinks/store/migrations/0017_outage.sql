-- When Seamwatch did not do its own work, as the pager saw and told it: a row when it began, another when it was over.
CREATE TABLE IF NOT EXISTS outage
(
    `outage_id` String,
    `fault` LowCardinality(String),
    `stage` LowCardinality(String),
    `state` LowCardinality(String),
    `since` DateTime64(6, 'UTC'),
    `until` Nullable(DateTime64(6, 'UTC')),
    `detected_at` DateTime64(6, 'UTC'),
    `person` Nullable(String),
    `summary` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1)),
    INDEX by_offset offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (since, outage_id)
SETTINGS non_replicated_deduplication_window = 10000;
