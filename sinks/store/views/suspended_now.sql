-- What is suspended, by what the judge concluded last? One that ends by itself is among it until it is resumed: look at until.
SELECT suspension_id, CAST(system, 'String') AS system, version, tool, person, reason, since, until, contract, violation_id, judged_at
FROM
(
    SELECT suspension_id, system, version, tool, state, person, reason, since, until, contract, violation_id, judged_at
    FROM suspended
    ORDER BY broker_time DESC, offset DESC
    LIMIT 1 BY system, version, tool
)
WHERE state = 'suspended'
