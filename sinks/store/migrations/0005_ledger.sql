-- The ledger's trees: one a topic partition, a leaf a record, in offset order.

-- What a commit leaves behind: the root of the tree of `size` leaves, and the roots of its whole subtrees, the largest
-- first, from which it goes on (32 bytes each). Both are empty in ranges that were committed before there were trees.
ALTER TABLE ledger_commit ADD COLUMN IF NOT EXISTS `root` String CODEC(NONE);
ALTER TABLE ledger_commit ADD COLUMN IF NOT EXISTS `frontier` String CODEC(NONE);

-- Tiles, in the pieces in which they grew: `hashes` of tile `tile` of `level`, from its hash number `start` on. Hashes
-- do not compress. The same piece may have been written twice, with the same content.
CREATE TABLE IF NOT EXISTS ledger_tile
(
    `topic` LowCardinality(String),
    `partition` Int32,
    `level` UInt8,
    `tile` UInt64,
    `start` UInt8,
    `hashes` String CODEC(NONE)
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, level, tile, start);

-- Reading records in the order of their topic: which granules hold a range of offsets. Parts from before have no such
-- index until they are merged; reading them is only slower.
ALTER TABLE inference ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE tool_call ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE config_change ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE acknowledgement ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE dataset_refresh ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE outcome ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE attestation ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE violation ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE notice ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE page ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
ALTER TABLE document ADD INDEX IF NOT EXISTS by_offset offset TYPE minmax GRANULARITY 1;
