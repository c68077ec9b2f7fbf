-- Why was this decision allowed: by which approval and contracts, and who is on the hook for it?
-- A decision is answered for by what was so when it came: by the System document and the persons that were published when the
-- broker had it, and by its own time, configuration digest and use case. What is edited, replaced or expires later changes
-- nothing of that. An approval allows what is of its version, of the digest of that version (where it has one) and of its
-- use case (a tool call has none), from `approved_at` until it `expires` or is revoked, if somebody with authority gave it
-- and, where they had keys, signed it. The same rule in Python: seamwatch/judging/patterns/approved.py. Whether a signature holds
-- no view can tell, and what risk policies ask of an approval is not looked at: `policies_unread` names those that may ask for
-- more. Planning is most of its time, so events are read from the tables themselves.
WITH
    -- Persons as published, each with since when it was so: whether there is such a person, and whether they have keys.
    (SELECT groupArray((id, told)) FROM persons_as_published) AS people,
    (SELECT groupArray((policy, tiers)) FROM policy_tiers) AS policies,
    arrayMap(
        person -> (
            person.1 AS id,
            arrayLast(told -> told.1 <= decisions.arrived_at, person.2).3 AS known,
            arrayLast(told -> told.1 <= decisions.arrived_at, person.2).4 AS keyed
        ),
        people
    ) AS then,
    arrayFirst(
        approval -> approval.version = decisions.version
            AND approval.config_digest IN ('', decisions.config_digest)
            AND (decisions.type = 'tool_call' OR approval.use_case = decisions.use_case)
            AND ifNull(approval.approved_at <= decisions.event_time, true)
            AND ifNull(decisions.event_time < approval.expires, true)
            AND ifNull(decisions.event_time < approval.revoked_at, true)
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
    ) AS approved,
    arrayFilter(
        terms -> terms.6 <= decisions.event_time AND decisions.event_time < terms.7 AND (
            has(terms.4, decisions.system) OR arrayExists(expression -> match(decisions.system, expression), terms.5)
        ),
        agreed.contracts
    ) AS matching,
    arrayFilter(terms -> terms.1 != 'defaults', matching) AS of_contracts,
    if(empty(of_contracts), matching, of_contracts) AS binding
SELECT
    decisions.event_id AS event_id,
    decisions.event_time AS event_time,
    decisions.type AS type,
    decisions.system AS system,
    decisions.version AS version,
    decisions.config_digest AS config_digest,
    decisions.use_case AS use_case,
    decisions.subject AS subject,
    decisions.decision AS decision,
    decisions.score AS score,
    decisions.claimed_approval AS claimed_approval,
    nullIf(approved.id, '') AS approval_id,
    nullIf(approved.approved_by, '') AS approved_by,
    approved.approved_at AS approved_at,
    approved.expires AS expires,
    owned.owner AS owner,
    persons.name AS owner_name,
    arraySort(arrayMap(terms -> concat(terms.1, '@', terms.2), binding)) AS contracts,
    arrayDistinct(arrayFlatten(arrayMap(
        terms -> arrayMap(
            step -> if(step.rota != '', concat('rota ', step.rota), step.person),
            JSONExtract(terms.3, 'escalation', 'Array(Tuple(person String, rota String))')
        ),
        binding
    ))) AS escalation,
    decisions.topic AS topic,
    decisions.partition AS partition,
    decisions.offset AS offset,
    approved.revoked_at AS revoked_at,
    decisions.arrived_at AS arrived_at,
    arrayFilter(policy -> has(policy.2, declared.risk_tier), policies).1 AS policies_unread
FROM
(
    SELECT
        event_id, event_time, 'inference' AS type, CAST(system, 'String') AS system, CAST(version, 'String') AS version,
        ifNull(CAST(config_digest, 'Nullable(String)'), '') AS config_digest, CAST(use_case, 'String') AS use_case,
        subject, CAST(decision, 'Nullable(String)') AS decision, score,
        CAST(approval_id, 'Nullable(String)') AS claimed_approval, topic, partition, offset, broker_time AS arrived_at
    FROM inference
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'inference')
    UNION ALL
    SELECT
        event_id, event_time, 'tool_call', CAST(system, 'String'), CAST(version, 'String'),
        ifNull(CAST(config_digest, 'Nullable(String)'), ''), '', '', CAST(decision, 'Nullable(String)'), NULL,
        NULL, topic, partition, offset, broker_time
    FROM tool_call
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'tool_call')
) AS decisions
ASOF LEFT JOIN systems_as_published AS declared
    ON decisions.system = declared.system AND decisions.arrived_at >= declared.since
LEFT JOIN
(
    SELECT id AS system, JSONExtractString(argMax(document, (broker_time, offset)), 'owner') AS owner
    FROM document
    WHERE kind = 'System'
    GROUP BY id
    HAVING NOT argMax(retired, (broker_time, offset))
) AS owned ON decisions.system = owned.system
LEFT JOIN
(
    SELECT id, JSONExtractString(argMax(document, (broker_time, offset)), 'name') AS name
    FROM document
    WHERE kind = 'Person'
    GROUP BY id
    HAVING NOT argMax(retired, (broker_time, offset))
) AS persons ON owned.owner = persons.id
CROSS JOIN
(
    -- One row. The number is there for who asks for no contract: of a cross join the narrowest column is always carried.
    SELECT groupArray((contract, version, document, covers, expressions, valid_from, valid_to)) AS contracts, count() AS number
    FROM
    (
        SELECT
            contract, version, document, valid_from, valid_to,
            JSONExtract(document, 'covers', 'Array(String)') AS covers,
            arrayMap(
                pattern -> concat(
                    '^',
                    replaceAll(
                        replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'
                    ),
                    '$'
                ),
                arrayFilter(pattern -> match(pattern, '[*?]'), covers)
            ) AS expressions
        FROM
        (
            SELECT
                contract, version, document, valid_from,
                leadInFrame(valid_from, 1, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) OVER (
                    PARTITION BY contract ORDER BY valid_from, published, version
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) AS valid_to
            FROM
            (
                SELECT
                    id AS contract, version, argMax(document, (broker_time, offset)) AS document,
                    assumeNotNull(argMax(published_at, (broker_time, offset))) AS published,
                    JSONExtractString(document, 'effective_from') AS dated,
                    multiIf(
                        dated != '', parseDateTime64BestEffortOrZero(dated, 6, 'UTC'),
                        published = min(published) OVER (PARTITION BY contract)
                            AND row_number() OVER (PARTITION BY contract, dated = '' ORDER BY published, version) = 1,
                        toDateTime64('1900-01-01 00:00:00', 6, 'UTC'),
                        published
                    ) AS valid_from
                FROM document
                WHERE kind = 'Contract'
                GROUP BY id, version
                HAVING NOT argMax(retired, (broker_time, offset))
            )
        )
        WHERE valid_from < valid_to
        ORDER BY contract
    )
) AS agreed
