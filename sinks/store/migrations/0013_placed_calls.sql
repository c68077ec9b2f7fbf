-- `why` asks for an id among tool calls as well as among decisions: they are found by their place too, or its time would
-- grow with their number. A tool call is asked for whole, so the projection has nothing but the id and the place.
ALTER TABLE tool_call ADD PROJECTION IF NOT EXISTS placed
(
    SELECT event_id, _part_offset
    ORDER BY event_id
)
WITH SETTINGS (index_granularity = 256);

ALTER TABLE tool_call MATERIALIZE PROJECTION placed;

ALTER TABLE tool_call DROP INDEX IF EXISTS by_event;
