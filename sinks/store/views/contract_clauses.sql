-- Which clauses has every contract version, and when is it in force?
-- A contract may say from when a version is in force (`effective_from`), also ahead of time. The first that does not say
-- it reaches back without end, if nothing of its contract was published before it.
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
            arrayMap(
                s -> if(JSONExtractString(s, 'rota') != '', concat('rota ', JSONExtractString(s, 'rota')), JSONExtractString(s, 'person')),
                JSONExtractArrayRaw(document, 'escalation')
            ) AS escalation,
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
WHERE valid_from < valid_to
