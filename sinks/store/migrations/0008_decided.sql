-- Decisions by their ids, some thousands at a time: outcomes ask for what they do not carry (score, cohort, version).
-- The bloom filter on event_id serves one id; of a thousand, each block of rows may hold one. Rows that were there before
-- are put in order in the background (system.mutations says how far that is). Granules are small, since each id reads
-- one of every part: of 8192 rows, a thousand ids in no order would read all there is.
ALTER TABLE inference ADD PROJECTION IF NOT EXISTS decided
(
    SELECT event_id, system, version, score, cohort, broker_time
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE inference MATERIALIZE PROJECTION decided;
