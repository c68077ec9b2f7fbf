-- The record: one table a record type, each row with the bytes it was read from and where they were.
-- Partitioned by the month of arrival (broker time), not of the event: a topic partition arrives in order, so a
-- table partition holds one unbroken range of offsets, a backfill of old events opens no hundreds of parts, and
-- retention, which counts from arrival, drops whole partitions.
-- The deduplication window must outlive an open intent: 10,000 blocks is hours of them.

-- What a system decided.
CREATE TABLE IF NOT EXISTS inference
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `version` LowCardinality(String),
    `config_digest` LowCardinality(Nullable(String)),
    `use_case` LowCardinality(String),
    `subject` String,
    `score` Nullable(Float64),
    `confidence` Nullable(Float64),
    `decision` LowCardinality(Nullable(String)),
    `latency_ms` Nullable(Float64),
    `fallback` Bool,
    `abuse` Bool,
    `human_review` Bool,
    `data_as_of` Nullable(DateTime64(6, 'UTC')),
    `cohort` LowCardinality(Nullable(String)),
    `approval_id` LowCardinality(Nullable(String)),
    `input_digest` Nullable(String),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1)),
    INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_subject subject TYPE bloom_filter(0.01) GRANULARITY 4,
    PROJECTION seen
    (
        SELECT system, version, config_digest, count(), min(event_time), max(event_time)
        GROUP BY system, version, config_digest
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000, lightweight_mutation_projection_mode = 'rebuild';

-- What an agent called, or was kept from calling.
CREATE TABLE IF NOT EXISTS tool_call
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `version` LowCardinality(String),
    `config_digest` LowCardinality(Nullable(String)),
    `tool` LowCardinality(String),
    `arguments` String CODEC(ZSTD(1)),
    `resource` Nullable(String),
    `authorisation` Nullable(String),
    `decision` LowCardinality(String),
    `confidence` Nullable(Float64),
    `outcome` Nullable(String),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1)),
    INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 4,
    PROJECTION seen
    (
        SELECT system, version, config_digest, count(), min(event_time), max(event_time)
        GROUP BY system, version, config_digest
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000, lightweight_mutation_projection_mode = 'rebuild';

-- What somebody announced to change.
CREATE TABLE IF NOT EXISTS config_change
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `change_id` String,
    `kind` LowCardinality(String),
    `from_value` Nullable(String),
    `to_value` Nullable(String),
    `config_digest` Nullable(String),
    `effective_at` DateTime64(6, 'UTC'),
    `summary` String,
    `announced_by` String,
    `signatures` Array(Tuple(person String, key_id String, signature String)),
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
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- Who answered for what.
CREATE TABLE IF NOT EXISTS acknowledgement
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `of` LowCardinality(String),
    `reference` String,
    `person` String,
    `answer` LowCardinality(String),
    `note` Nullable(String),
    `key_id` Nullable(String),
    `signature` Nullable(String),
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
ORDER BY (reference, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- A dataset was refreshed; `system` is the dataset's id.
CREATE TABLE IF NOT EXISTS dataset_refresh
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
    `data_as_of` DateTime64(6, 'UTC'),
    `row_count` Int64,
    `sources` Array(String),
    `cohorts` Array(Tuple(cohort String, count Int64)),
    `schema_digest` Nullable(String),
    `attested_by` Nullable(String),
    `key_id` Nullable(String),
    `signature` Nullable(String),
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
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- What became of a decision.
CREATE TABLE IF NOT EXISTS outcome
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `inference_id` String,
    `score` Nullable(Float64),
    `cohort` LowCardinality(Nullable(String)),
    `label` Float64,
    `observed_at` DateTime64(6, 'UTC'),
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` String CODEC(ZSTD(1)),
    INDEX by_inference inference_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- Somebody vouched for something.
CREATE TABLE IF NOT EXISTS attestation
(
    `event_id` String,
    `event_time` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `producer` LowCardinality(String),
    `environment` LowCardinality(String),
    `trace_id` Nullable(String),
    `parent_id` Nullable(String),
    `attributes` Array(Tuple(key String, value String)),
    `system` LowCardinality(String),
    `subject` String,
    `kind` LowCardinality(String),
    `metric` Nullable(String),
    `value` Nullable(Float64),
    `person` String,
    `evidence_uri` Nullable(String),
    `key_id` Nullable(String),
    `signature` Nullable(String),
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
ORDER BY (system, event_time)
SETTINGS non_replicated_deduplication_window = 10000;

-- One row a state of an episode; the view `violations` has its latest.
CREATE TABLE IF NOT EXISTS violation
(
    `violation_id` String,
    `contract` LowCardinality(String),
    `contract_version` LowCardinality(String),
    `contract_digest` LowCardinality(String),
    `clause` LowCardinality(String),
    `kind` LowCardinality(String),
    `system` LowCardinality(String),
    `slice` Nullable(String),
    `severity` LowCardinality(String),
    `state` LowCardinality(String),
    `observed` Nullable(Float64),
    `limit` Nullable(Float64),
    `unit` LowCardinality(Nullable(String)),
    `summary` String,
    `opened_at` DateTime64(6, 'UTC'),
    `since` Nullable(DateTime64(6, 'UTC')),
    `detected_at` DateTime64(6, 'UTC'),
    `person` LowCardinality(Nullable(String)),
    `step` Int32,
    `acknowledged_at` Nullable(DateTime64(6, 'UTC')),
    `acknowledged_by` Nullable(String),
    `resolved_at` Nullable(DateTime64(6, 'UTC')),
    `evidence` Array(Tuple(topic Nullable(String), partition Nullable(Int32), offset Nullable(Int64), event_id String)),
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
ORDER BY (system, violation_id, offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- One row an attempt to reach a person.
CREATE TABLE IF NOT EXISTS page
(
    `violation_id` String,
    `step` Int32,
    `person` String,
    `channel` String,
    `sent_at` DateTime64(6, 'UTC'),
    `result` String,
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
ORDER BY (violation_id, step, sent_at)
SETTINGS non_replicated_deduplication_window = 10000;

-- What was published on the contracts topic, every version; `retired` marks a withdrawal.
CREATE TABLE IF NOT EXISTS document
(
    `kind` LowCardinality(String),
    `id` String,
    `version` String,
    `digest` String,
    `published_at` Nullable(DateTime64(6, 'UTC')),
    `document` String CODEC(ZSTD(3)),
    `retired` Bool,
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` Nullable(String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (kind, id, offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What could not be used, as it came.
CREATE TABLE IF NOT EXISTS dead_letter
(
    `record_type` LowCardinality(String),
    `reason` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `offset` Int64 CODEC(Delta, ZSTD(1)),
    `broker_time` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `key` Nullable(String),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `raw` Nullable(String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(broker_time)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What the recorder set out to write, before it writes it: one row a range of one topic partition. `count` records
-- were read in [first_offset, next_offset); a range has gaps where transactions ended or compaction removed records.
CREATE TABLE IF NOT EXISTS ledger_intent
(
    `topic` LowCardinality(String),
    `partition` Int32,
    `first_offset` Int64,
    `next_offset` Int64,
    `count` UInt32,
    `recorder` String,
    `intended_at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, partition, first_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What is written and counts: the position of a topic partition is the highest `next_offset` here. `count` rows of
-- the range are in the tables, `dead_letters` of them in dead_letter; `size` is all rows of the topic partition so far.
CREATE TABLE IF NOT EXISTS ledger_commit
(
    `topic` LowCardinality(String),
    `partition` Int32,
    `first_offset` Int64,
    `next_offset` Int64,
    `count` UInt32,
    `dead_letters` UInt32,
    `size` UInt64,
    `recorder` String,
    `committed_at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, partition, first_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Signed tree heads of the ledger, one row a checkpoint; `note` is the whole signed text.
CREATE TABLE IF NOT EXISTS checkpoint
(
    `origin` LowCardinality(String),
    `topic` LowCardinality(String),
    `partition` Int32,
    `tree_size` Int64,
    `root_hash` String,
    `note` String,
    `created_at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, partition, tree_size)
SETTINGS non_replicated_deduplication_window = 10000;
