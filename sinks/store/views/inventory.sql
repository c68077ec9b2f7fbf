-- What is running: which systems are declared or were seen, by whom owned, when reviewed?
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
        WHERE kind = 'review' AND subject NOT IN ('runbook', 'monitoring_agreement', 'registry_entry', 'permissions', 'contract')
        GROUP BY system
    )
    GROUP BY system
)
WHERE registered OR events > 0
