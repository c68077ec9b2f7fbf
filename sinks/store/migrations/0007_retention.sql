-- The life of the record: what was removed when its time was over, and what may not be removed although it is.
-- Nothing else removes rows. sinks/retention/retention.py writes these tables, sinks/ledger/dropped.py reads them for verifiers.

-- One row a topic partition of each month of a table that was dropped: what, when, why, by whom. `first_offset` to
-- `next_offset` spans the rows that went, `count` of them; rows of other tables and months may lie in between. `root` is
-- the root of the tree (RFC 6962) of just their leaves, in offset order; `kept_for` seconds were they to be kept at
-- least, counted from the end of the month. `note` says all of it over the ledger's signature, and nothing counts that
-- it does not say: without it, rows that are gone are missing rows. It is written before the rows go, so rows that are
-- both here and there are a removal that was not finished, and count as there.
CREATE TABLE IF NOT EXISTS retention
(
    `drop_id` String,
    `table` LowCardinality(String),
    `month` UInt32,
    `topic` LowCardinality(String),
    `partition` Int32,
    `first_offset` Int64,
    `next_offset` Int64,
    `count` UInt64,
    `root` String,
    `kept_for` UInt64,
    `dropped_at` DateTime64(6, 'UTC'),
    `person` String,
    `reason` String,
    `note` String
)
ENGINE = MergeTree
ORDER BY (topic, partition, first_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Which leaves of a tree have no row any more: for each committed range of which rows were dropped, their offsets, and
-- the numbers of their leaves in the tree of the topic partition, in the same order. The leaves themselves stay in
-- `ledger_tile`: number n is hash n % 256 of tile n / 256 of level 0.
CREATE TABLE IF NOT EXISTS ledger_dropped
(
    `drop_id` String,
    `topic` LowCardinality(String),
    `partition` Int32,
    `first_offset` Int64,
    `next_offset` Int64,
    `offsets` Array(Int64) CODEC(Delta, ZSTD(1)),
    `indexes` Array(UInt64) CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (topic, partition, first_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Legal holds: what is placed holds until it is lifted; rows are only ever added. An empty `table` or `system` is every
-- one; `from` and `to` are times of arrival, and null has no bound.
CREATE TABLE IF NOT EXISTS hold
(
    `hold_id` String,
    `action` LowCardinality(String),
    `table` LowCardinality(String),
    `system` String,
    `from` Nullable(DateTime64(6, 'UTC')),
    `to` Nullable(DateTime64(6, 'UTC')),
    `person` String,
    `reason` String,
    `at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (hold_id, at)
SETTINGS non_replicated_deduplication_window = 1000;
