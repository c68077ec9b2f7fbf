-- Who may record a topic partition: the newest claim, by epoch, then by recorder. Rows are only ever added.
CREATE TABLE IF NOT EXISTS ledger_claim
(
    `topic` LowCardinality(String),
    `partition` Int32,
    `epoch` UInt64,
    `recorder` String,
    `claimed_at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, partition, epoch)
SETTINGS non_replicated_deduplication_window = 10000;

-- Under which claim a range was set out on, and by whose claim it was completed.
ALTER TABLE ledger_intent ADD COLUMN IF NOT EXISTS `epoch` UInt64 AFTER `count`;

ALTER TABLE ledger_commit ADD COLUMN IF NOT EXISTS `epoch` UInt64 AFTER `size`;
