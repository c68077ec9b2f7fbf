-- A page also tells how it went on with what somebody was paged about, and what the channel calls the message.
ALTER TABLE page ADD COLUMN IF NOT EXISTS `news` LowCardinality(String) DEFAULT 'trigger' AFTER `result`;
ALTER TABLE page ADD COLUMN IF NOT EXISTS `reference` Nullable(String) AFTER `news`;
