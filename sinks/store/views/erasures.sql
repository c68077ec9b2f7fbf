-- Which keys of persons were destroyed, each once, as it was first recorded?
SELECT
    records.key_id AS key_id,
    argMin(records.erased_at, (records.broker_time, records.topic, records.partition, records.offset)) AS erased_at,
    argMin(records.person, (records.broker_time, records.topic, records.partition, records.offset)) AS person,
    tupleElement(
        argMin(tuple(records.reason), (records.broker_time, records.topic, records.partition, records.offset)), 1
    ) AS reason,
    min(records.broker_time) AS recorded_at
FROM erasure AS records
GROUP BY records.key_id
