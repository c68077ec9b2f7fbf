-- Who approved which version for which use case, and what has it allowed?
-- Every approval that is listed, and those that were and are no more but allowed something, with what they allowed: each
-- decision and call is counted by the rule of `why`, as of its own time and arrival, which looks at no risk policy
-- (`policies_unread`). For that, traffic is summed by the hour, by the minute in hours in which a document or an approval begins
-- or ends, and one by one in such minutes.
SELECT
    system,
    version,
    config_digest,
    approval_id,
    use_case,
    anyIf(approved_by, listed) AS approved_by,
    anyIf(approved_at, listed) AS approved_at,
    anyIf(expires, listed) AS expires,
    sum(allowed) AS events,
    min(earliest) AS first_seen,
    max(latest) AS last_seen,
    anyIf(revoked_at, listed) AS revoked_at,
    max(named) AS in_documents,
    sum(outlived) AS events_after,
    arrayFilter(policy -> has(policy.2, anyIf(tier, listed)), (SELECT groupArray((policy, tiers)) FROM policy_tiers)).1
        AS policies_unread
FROM
(
    SELECT
        id AS system, entry.version AS version, entry.config_digest AS config_digest, entry.id AS approval_id,
        entry.use_case AS use_case, true AS listed, max(place) = any(newest) AS named,
        argMax(entry.approved_by, place) AS approved_by,
        parseDateTime64BestEffortOrNull(argMax(entry.approved_at, place), 6, 'UTC') AS approved_at,
        parseDateTime64BestEffortOrNull(argMax(entry.expires, place), 6, 'UTC') AS expires,
        parseDateTime64BestEffortOrNull(argMax(entry.revoked_at, place), 6, 'UTC') AS revoked_at,
        argMax(risk_tier, place) AS tier,
        toUInt64(0) AS allowed, toUInt64(0) AS outlived,
        CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS earliest,
        CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS latest
    FROM
    (
        SELECT
            id, JSONExtractString(document, 'risk_tier') AS risk_tier, (broker_time, offset) AS place,
            max((broker_time, offset)) OVER (PARTITION BY id) AS newest,
            CAST(arrayFlatten(arrayMap(
                entry -> arrayMap(
                    approval -> (
                        entry.version, entry.config_digest, approval.id,
                        approval.use_case, approval.approved_by,
                        approval.approved_at, approval.expires,
                        approval.revoked_at
                    ),
                    entry.approvals
                ),
                JSONExtract(
                    document, 'versions',
                    'Array(Tuple(version String, config_digest String, approvals Array(Tuple(
                        id String, use_case String, approved_by String, approved_at String, expires String,
                        revoked_at String))))'
                )
            )),
            'Array(Tuple(version String, config_digest String, id String, use_case String, approved_by String,
                approved_at String, expires String, revoked_at String))') AS entries
        FROM document
        WHERE kind = 'System'
    )
    ARRAY JOIN entries AS entry
    GROUP BY id, entry.version, entry.config_digest, entry.id, entry.use_case
    UNION ALL
    WITH
        -- Persons as published, each with since when it was so: whether there is such a person, and whether they have keys.
        (SELECT groupArray((id, told)) FROM persons_as_published) AS people,
        arrayMap(
            person -> (
                person.1 AS id,
                arrayLast(told -> told.1 <= served.arrived_at, person.2).3 AS known,
                arrayLast(told -> told.1 <= served.arrived_at, person.2).4 AS keyed
            ),
            people
        ) AS then,
        arrayFilter(
            approval -> approval.version = served.version
                AND approval.config_digest IN ('', served.config_digest)
                AND (served.type = 'tool_call' OR approval.use_case = served.use_case)
                AND ifNull(approval.approved_at <= served.at, true)
                AND approval.approved_by != ''
                AND if(
                    empty(declared.approvers), approval.approved_by != declared.owner,
                    has(declared.approvers, approval.approved_by)
                )
                AND (
                    arrayExists(person -> person.1 = approval.approved_by AND person.2, then)
                    OR NOT arrayExists(person -> person.2, then)
                )
                AND (approval.signed OR NOT arrayExists(person -> person.1 = approval.approved_by AND person.3, then)),
            declared.approvals
        ) AS given,
        arrayFirst(
            approval -> ifNull(served.at < approval.expires, true) AND ifNull(served.at < approval.revoked_at, true), given
        ) AS approved,
        -- Where none is in force any more: the one that was, of which more was served.
        if(approved.id != '', approved, arrayLast(approval -> true, given)) AS told
    SELECT
        served.system, told.version, told.config_digest, told.id, told.use_case, false, false, '', NULL, NULL, NULL, '',
        sumIf(served.number, approved.id != ''), sumIf(served.number, approved.id = ''),
        minIf(toNullable(served.earliest), approved.id != ''), maxIf(toNullable(served.latest), approved.id != '')
    FROM
    (
        SELECT
            type, system, version, config_digest, use_case,
            multiIf(
                toStartOfHour(event_time) NOT IN (SELECT toStartOfHour(at) FROM approval_bounds),
                    toDateTime64(toStartOfHour(event_time), 6, 'UTC'),
                toStartOfMinute(event_time) NOT IN (SELECT toStartOfMinute(at) FROM approval_bounds),
                    toDateTime64(toStartOfMinute(event_time), 6, 'UTC'),
                toDateTime64(event_time, 6, 'UTC')
            ) AS at,
            multiIf(
                toStartOfHour(broker_time) NOT IN (SELECT toStartOfHour(at) FROM approval_bounds),
                    toDateTime64(toStartOfHour(broker_time), 6, 'UTC'),
                toStartOfMinute(broker_time) NOT IN (SELECT toStartOfMinute(at) FROM approval_bounds),
                    toDateTime64(toStartOfMinute(broker_time), 6, 'UTC'),
                toDateTime64(broker_time, 6, 'UTC')
            ) AS arrived_at,
            count() AS number, min(event_time) AS earliest, max(event_time) AS latest
        FROM
        (
            SELECT
                'inference' AS type, CAST(system, 'String') AS system, CAST(version, 'String') AS version,
                ifNull(CAST(config_digest, 'Nullable(String)'), '') AS config_digest,
                CAST(use_case, 'String') AS use_case, event_time, broker_time
            FROM decisions
            UNION ALL
            SELECT
                'tool_call', CAST(system, 'String'), CAST(version, 'String'),
                ifNull(CAST(config_digest, 'Nullable(String)'), ''), '', event_time, broker_time
            FROM calls
        )
        GROUP BY type, system, version, config_digest, use_case, at, arrived_at
    ) AS served
    ASOF LEFT JOIN systems_as_published AS declared
        ON served.system = declared.system AND served.arrived_at >= declared.since
    WHERE told.id != ''
    GROUP BY served.system, told.version, told.config_digest, told.id, told.use_case
)
GROUP BY system, version, config_digest, approval_id, use_case
HAVING in_documents OR events > 0
