-- Somebody suspended a system, one of its versions or one of its tools, or resumed it.
CREATE TABLE IF NOT EXISTS suspension
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `version` Nullable(String),
    `tool` Nullable(String),
    `state` LowCardinality(String),
    `person` String,
    `reason` String,
    `evidence_uri` Nullable(String),
    `until` Nullable(DateTime64(6, 'UTC')),
    `contract` Nullable(String),
    `key_id` Nullable(String),
    `signature` Nullable(String),
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
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

ALTER TABLE suspension ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

-- What the judge concluded of it: what is suspended, and what is not any more.
CREATE TABLE IF NOT EXISTS suspended
(
    `suspension_id` String,
    `system` LowCardinality(String),
    `version` Nullable(String),
    `tool` Nullable(String),
    `state` LowCardinality(String),
    `person` Nullable(String),
    `reason` String,
    `evidence_uri` Nullable(String),
    `since` DateTime64(6, 'UTC'),
    `until` Nullable(DateTime64(6, 'UTC')),
    `contract` Nullable(String),
    `violation_id` Nullable(String),
    `judged_at` DateTime64(6, 'UTC'),
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
ORDER BY (system, since)
SETTINGS non_replicated_deduplication_window = 10000;
