-- A contract may say from when a version is in force (`effective_from`), also ahead of time. The first that does not say
-- it reaches back without end, if nothing of its contract was published before it.
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
        contract, version, digest, seam, covers, escalation, valid_from,
        leadInFrame(valid_from, 1, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) OVER (
            PARTITION BY contract ORDER BY valid_from, published, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS valid_to,
        document
    FROM
    (
        SELECT
            id AS contract,
            version,
            digest,
            JSONExtractString(document, 'seam') AS seam,
            JSONExtract(document, 'covers', 'Array(String)') AS covers,
            arrayMap(s -> JSONExtractString(s, 'person'), JSONExtractArrayRaw(document, 'escalation')) AS escalation,
            assumeNotNull(published_at) AS published,
            JSONExtractString(document, 'effective_from') AS dated,
            multiIf(
                dated != '', parseDateTime64BestEffortOrZero(dated, 6, 'UTC'),
                published = min(assumeNotNull(published_at)) OVER (PARTITION BY id)
                    AND row_number() OVER (PARTITION BY id, dated = '' ORDER BY assumeNotNull(published_at), version) = 1,
                toDateTime64('1900-01-01 00:00:00', 6, 'UTC'),
                published
            ) AS valid_from,
            document
        FROM documents
        WHERE kind = 'Contract'
    )
)
ARRAY JOIN JSONExtractArrayRaw(document, 'clauses') AS clause_json
WHERE valid_from < valid_to;

-- `why` asked each decision's question of the whole inventory and of all traffic. What leads from a decision to its
-- approval and owner is in the documents alone; contracts are matched to the systems of the answer, not to all, and by
-- the versions in force now: one that was published ahead of its time does not answer yet.
CREATE OR REPLACE VIEW why AS
WITH
    (
        SELECT groupArray((contract, version, escalation, expressions))
        FROM
        (
            SELECT
                contract, version, escalation,
                arrayMap(
                    pattern -> concat(
                        '^',
                        replaceAll(
                            replaceAll(replaceRegexpAll(pattern, '([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'), '*', '.*'), '?', '.'
                        ),
                        '$'
                    ),
                    covers
                ) AS expressions
            FROM
            (
                SELECT contract, version, covers, escalation
                FROM contract_clauses
                WHERE valid_from <= now64(6) AND now64(6) < valid_to
                LIMIT 1 BY contract
            )
            ORDER BY contract
        )
    ) AS agreed,
    arrayFilter(terms -> arrayExists(expression -> match(decisions.system, expression), terms.4), agreed) AS matching,
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
    approved.approval_id AS approval_id,
    approved.approved_by AS approved_by,
    approved.approved_at AS approved_at,
    approved.expires AS expires,
    hook.owner AS owner,
    hook.name AS owner_name,
    arraySort(arrayMap(terms -> concat(terms.1, '@', terms.2), binding)) AS contracts,
    arrayDistinct(arrayFlatten(arrayMap(terms -> terms.3, binding))) AS escalation,
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
        id AS system,
        JSONExtractString(entry, 'version') AS version,
        JSONExtractString(entry, 'config_digest') AS config_digest,
        if(place > length(given), '', JSONExtractString(approval, 'use_case')) AS use_case,
        toNullable(JSONExtractString(approval, 'id')) AS approval_id,
        toNullable(JSONExtractString(approval, 'approved_by')) AS approved_by,
        parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'approved_at'), 6, 'UTC') AS approved_at,
        parseDateTime64BestEffortOrNull(JSONExtractString(approval, 'expires'), 6, 'UTC') AS expires
    FROM
    (
        SELECT
            id, arrayJoin(JSONExtractArrayRaw(document, 'versions')) AS entry,
            JSONExtractArrayRaw(entry, 'approvals') AS given,
            -- A tool call names no use case: the first approval of what it runs on stands for it.
            arrayConcat(given, arraySlice(given, 1, 1)) AS listed
        FROM documents
        WHERE kind = 'System'
    )
    ARRAY JOIN listed AS approval, arrayEnumerate(listed) AS place
) AS approved
    ON decisions.system = approved.system AND decisions.version = approved.version
    AND decisions.config_digest = approved.config_digest AND decisions.use_case = approved.use_case
LEFT JOIN
(
    SELECT systems.id AS system, systems.owner AS owner, persons.name AS name
    FROM (SELECT id, JSONExtractString(document, 'owner') AS owner FROM documents WHERE kind = 'System') AS systems
    LEFT JOIN
    (
        SELECT id, JSONExtractString(document, 'name') AS name FROM documents WHERE kind = 'Person'
    ) AS persons ON systems.owner = persons.id
) AS hook ON decisions.system = hook.system;
