-- The questions: views over the record. Every column is described in docs/store.md.

-- Documents as last published, every version of a contract; withdrawn ones are left out.
CREATE OR REPLACE VIEW documents AS
SELECT kind, id, version, digest, published_at, document
FROM
(
    SELECT kind, id, version, digest, published_at, document, retired
    FROM document
    ORDER BY broker_time DESC, offset DESC
    LIMIT 1 BY kind, id, version
)
WHERE NOT retired;

-- Every clause of every contract version, and when that version was in force: the first reaches back without end.
CREATE OR REPLACE VIEW contract_clauses AS
SELECT
    contract,
    version,
    digest,
    seam,
    covers,
    escalation,
    valid_from,
    valid_to,
    JSONExtractString(clause_json, 'id') AS clause,
    JSONExtractString(clause_json, 'kind') AS kind,
    if(JSONExtractString(clause_json, 'severity') = '', 'breach', JSONExtractString(clause_json, 'severity')) AS severity,
    clause_json AS agreed
FROM
(
    SELECT
        id AS contract,
        version,
        digest,
        JSONExtractString(document, 'seam') AS seam,
        JSONExtract(document, 'covers', 'Array(String)') AS covers,
        arrayMap(s -> JSONExtractString(s, 'person'), JSONExtractArrayRaw(document, 'escalation')) AS escalation,
        if(
            row_number() OVER (PARTITION BY id ORDER BY published_at, version) = 1,
            toDateTime64('1900-01-01 00:00:00', 6, 'UTC'),
            assumeNotNull(published_at)
        ) AS valid_from,
        leadInFrame(assumeNotNull(published_at), 1, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) OVER (
            PARTITION BY id ORDER BY published_at, version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS valid_to,
        document
    FROM documents
    WHERE kind = 'Contract'
)
ARRAY JOIN JSONExtractArrayRaw(document, 'clauses') AS clause_json;

-- One row an episode: its latest state.
CREATE OR REPLACE VIEW violations AS
SELECT
    violation_id, contract, contract_version, contract_digest, clause, kind, system, slice, severity, state, observed,
    limit, unit, summary, opened_at, since, detected_at, person, step, acknowledged_at, acknowledged_by, resolved_at,
    evidence
FROM violation
ORDER BY broker_time DESC, offset DESC
LIMIT 1 BY violation_id;

-- Every system seen in traffic, by version and configuration.
CREATE OR REPLACE VIEW traffic AS
SELECT
    system,
    seen_as,
    version,
    config_digest,
    sum(seen) AS events,
    min(earliest) AS first_seen,
    max(latest) AS last_seen
FROM
(
    SELECT
        system, 'model' AS seen_as, CAST(version, 'String') AS version,
        CAST(config_digest, 'Nullable(String)') AS config_digest,
        count() AS seen, min(event_time) AS earliest, max(event_time) AS latest
    FROM inference
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'agent', CAST(version, 'String'), CAST(config_digest, 'Nullable(String)'),
        count(), min(event_time), max(event_time)
    FROM tool_call
    GROUP BY system, version, config_digest
    UNION ALL
    SELECT
        system, 'dataset', ifNull(version, ''), CAST(NULL, 'Nullable(String)'),
        count(), min(event_time), max(event_time)
    FROM dataset_refresh
    GROUP BY system, version
)
GROUP BY system, seen_as, version, config_digest;

-- Every system that is declared or was seen.
CREATE OR REPLACE VIEW inventory AS
SELECT
    system,
    if(registered, declared_type, seen_as) AS type,
    owner,
    team,
    versions,
    config_digests,
    events,
    first_seen,
    last_seen,
    registered,
    last_review
FROM
(
    SELECT
        system,
        anyIf(declared_type, declared) AS declared_type,
        anyIf(owner, declared) AS owner,
        anyIf(team, declared) AS team,
        argMaxIf(seen_as, seen_rank, seen_rank > 0) AS seen_as,
        arraySort(groupUniqArrayIf(version, version != '')) AS versions,
        arraySort(groupUniqArrayIf(assumeNotNull(config_digest), config_digest IS NOT NULL)) AS config_digests,
        sum(events) AS events,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        max(declared) AS registered,
        max(review) AS last_review
    FROM
    (
        SELECT
            CAST(system, 'String') AS system, false AS declared, '' AS declared_type, '' AS owner, '' AS team,
            seen_as, if(seen_as = 'model', 1, 2) AS seen_rank, version, config_digest, events,
            toNullable(first_seen) AS first_seen, toNullable(last_seen) AS last_seen,
            CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS review
        FROM traffic
        UNION ALL
        SELECT
            id, true, JSONExtractString(document, 'type'), JSONExtractString(document, 'owner'),
            JSONExtractString(document, 'team'), '', 0, '', NULL, 0, NULL, NULL,
            parseDateTime64BestEffortOrNull(JSONExtractString(document, 'review', 'last'), 6, 'UTC')
        FROM documents
        WHERE kind = 'System'
        UNION ALL
        SELECT CAST(system, 'String'), false, '', '', '', '', 0, '', NULL, 0, NULL, NULL, max(event_time)
        FROM attestation
        WHERE kind = 'review'
        GROUP BY system
    )
    GROUP BY system
)
WHERE registered OR events > 0;

-- Which contract, in its latest version, covers which system.
CREATE OR REPLACE VIEW covered AS
SELECT DISTINCT system, contract, version, seam, escalation
FROM
(
    SELECT system FROM inventory
) AS systems
CROSS JOIN
(
    SELECT DISTINCT
        contract, version, seam, escalation,
        arrayJoin(covers) AS pattern,
        concat('^', replaceAll(replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'), '$') AS expression
    FROM contract_clauses
    WHERE valid_to >= toDateTime64('2299-12-31 00:00:00', 6, 'UTC')
) AS patterns
WHERE match(system, expression);

-- Who is on the hook for a system: one row a system, declared or seen; an empty owner is a system nobody owns.
CREATE OR REPLACE VIEW owners AS
SELECT
    systems.system AS system,
    systems.type AS type,
    systems.owner AS owner,
    persons.name AS name,
    persons.channels AS channels,
    systems.team AS team,
    contracts.contracts AS contracts,
    contracts.escalation AS escalation,
    systems.registered AS registered
FROM inventory AS systems
LEFT JOIN
(
    SELECT
        id,
        JSONExtractString(document, 'name') AS name,
        arrayMap(c -> splitByString('://', c)[1], JSONExtract(document, 'channels', 'Array(String)')) AS channels
    FROM documents
    WHERE kind = 'Person'
) AS persons ON systems.owner = persons.id
LEFT JOIN
(
    SELECT
        system,
        arraySort(groupUniqArray(concat(contract, '@', version))) AS contracts,
        arrayDistinct(arrayFlatten(groupArray(escalation))) AS escalation
    FROM covered
    GROUP BY system
) AS contracts ON systems.system = contracts.system;

-- Who approved which version for which use case, and what traffic it has served since.
CREATE OR REPLACE VIEW approvals AS
SELECT
    declared.system AS system,
    declared.version AS version,
    declared.config_digest AS config_digest,
    JSONExtractString(approval, 'id') AS approval_id,
    JSONExtractString(approval, 'use_case') AS use_case,
    JSONExtractString(approval, 'approved_by') AS approved_by,
    parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'approved_at'), 6, 'UTC') AS approved_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'expires'), 6, 'UTC') AS expires,
    served.events AS events,
    served.first_seen AS first_seen,
    served.last_seen AS last_seen
FROM
(
    SELECT
        id AS system,
        JSONExtractString(entry, 'version') AS version,
        JSONExtractString(entry, 'config_digest') AS config_digest,
        arrayJoin(JSONExtractArrayRaw(entry, 'approvals')) AS approval
    FROM documents
    ARRAY JOIN JSONExtractArrayRaw(document, 'versions') AS entry
    WHERE kind = 'System'
) AS declared
LEFT JOIN
(
    SELECT
        CAST(system, 'String') AS system, version, ifNull(config_digest, '') AS config_digest,
        sum(events) AS events, toNullable(min(first_seen)) AS first_seen, toNullable(max(last_seen)) AS last_seen
    FROM traffic
    GROUP BY system, version, config_digest
) AS served
    ON declared.system = served.system AND declared.version = served.version
    AND declared.config_digest = served.config_digest;

-- From a decision to the approval that allowed it, the contracts it was judged by and the person on the hook.
CREATE OR REPLACE VIEW why AS
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
    approved.approval_id AS approval_id,
    approved.approved_by AS approved_by,
    approved.approved_at AS approved_at,
    approved.expires AS expires,
    hook.owner AS owner,
    hook.name AS owner_name,
    hook.contracts AS contracts,
    hook.escalation AS escalation,
    decisions.topic AS topic,
    decisions.partition AS partition,
    decisions.offset AS offset
FROM
(
    SELECT
        event_id, event_time, 'inference' AS type, CAST(system, 'String') AS system, CAST(version, 'String') AS version,
        ifNull(CAST(config_digest, 'Nullable(String)'), '') AS config_digest, CAST(use_case, 'String') AS use_case,
        subject, CAST(decision, 'Nullable(String)') AS decision, score,
        CAST(approval_id, 'Nullable(String)') AS claimed_approval, topic, partition, offset
    FROM inference
    UNION ALL
    SELECT
        event_id, event_time, 'tool_call', CAST(system, 'String'), CAST(version, 'String'),
        ifNull(CAST(config_digest, 'Nullable(String)'), ''), '', '', CAST(decision, 'Nullable(String)'), NULL,
        NULL, topic, partition, offset
    FROM tool_call
) AS decisions
LEFT JOIN
(
    SELECT
        system, version, config_digest, use_case, toNullable(approval_id) AS approval_id,
        toNullable(approved_by) AS approved_by, approved_at, expires
    FROM approvals
) AS approved
    ON decisions.system = approved.system AND decisions.version = approved.version
    AND decisions.config_digest = approved.config_digest AND decisions.use_case = approved.use_case
LEFT JOIN owners AS hook ON decisions.system = hook.system;

-- Everything that carries a trace id, to be read in order of event_time.
CREATE OR REPLACE VIEW trail AS
SELECT
    trace_id, event_time, 'inference' AS type, event_id, parent_id, CAST(system, 'String') AS system,
    CAST(version, 'String') AS version, concat(use_case, ': ', ifNull(decision, 'no decision')) AS what,
    topic, partition, offset
FROM inference
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'tool_call', event_id, parent_id, CAST(system, 'String'), CAST(version, 'String'),
    concat(tool, ': ', decision), topic, partition, offset
FROM tool_call
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'outcome', event_id, parent_id, CAST(system, 'String'), '', concat('label ', toString(label)),
    topic, partition, offset
FROM outcome
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'dataset_refresh', event_id, parent_id, CAST(system, 'String'), ifNull(version, ''),
    concat(toString(row_count), ' rows'), topic, partition, offset
FROM dataset_refresh
WHERE trace_id IS NOT NULL
UNION ALL
SELECT
    trace_id, event_time, 'config_change', event_id, parent_id, CAST(system, 'String'), '', summary,
    topic, partition, offset
FROM config_change
WHERE trace_id IS NOT NULL;
