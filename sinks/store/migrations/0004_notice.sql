-- What a person was told that is no violation: reminders of running clocks, scheduled summaries.
CREATE TABLE IF NOT EXISTS notice
(
    `notice_id` String,
    `type` LowCardinality(String),
    `contract` LowCardinality(String),
    `contract_version` LowCardinality(String),
    `contract_digest` LowCardinality(String),
    `clause` LowCardinality(String),
    `kind` LowCardinality(String),
    `system` LowCardinality(String),
    `slice` Nullable(String),
    `person` String,
    `summary` String,
    `due_at` DateTime64(6, 'UTC'),
    `detected_at` DateTime64(6, 'UTC'),
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
ORDER BY (system, due_at)
SETTINGS non_replicated_deduplication_window = 10000;
