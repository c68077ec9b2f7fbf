-- What happened under a trace id? To be read in order of event_time.
SELECT
    trace_id, event_time, 'inference' AS type, event_id, parent_id, CAST(system, 'String') AS system,
    CAST(version, 'String') AS version, concat(use_case, ': ', ifNull(decision, 'no decision')) AS what,
    topic, partition, offset
FROM decisions
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'tool_call', event_id, parent_id, CAST(system, 'String'), CAST(version, 'String'),
    concat(tool, ': ', decision), topic, partition, offset
FROM calls
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'outcome', event_id, parent_id, CAST(system, 'String'), '', concat('label ', toString(label)),
    topic, partition, offset
FROM outcomes
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'dataset_refresh', event_id, parent_id, CAST(system, 'String'), ifNull(version, ''),
    ifNull(concat(toString(row_count), ' rows'), 'rows not known'), topic, partition, offset
FROM refreshes
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'config_change', event_id, parent_id, CAST(system, 'String'), '', summary,
    topic, partition, offset
FROM changes
WHERE trace_id IS NOT NULL
