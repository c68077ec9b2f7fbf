-- Who must sign each contract version, in its first text, and who has?
-- One row for a signature, and one without for whoever has not signed. A signature that was published stays on record, also
-- when the contract is withdrawn later.
SELECT
    known.contract AS contract,
    known.version AS version,
    known.digest AS digest,
    terms.valid_from AS valid_from,
    terms.valid_to AS valid_to,
    nullIf(known.person, '') AS person,
    known.roles AS roles,
    notEmpty(known.line.1) AS signed,
    nullIf(known.line.1, '') AS key_id,
    parseDateTime64BestEffortOrNull(known.line.2, 6, 'UTC') AS signed_at,
    nullIf(known.line.3, '') AS signature,
    nullIf(known.line.4, toDateTime64(0, 3, 'UTC')) AS recorded_at
FROM
(
    SELECT
        contract, version, digest, person,
        arrayMap(r -> r.2, arrayFilter(r -> r.1 = person, required)) AS roles,
        arrayJoin(
            if(
                notEmpty(arrayFilter(s -> s.1 = person AND person != '', lines) AS theirs),
                arrayMap(s -> (s.2, s.3, s.4, s.5), theirs), [('', '', '', toDateTime64(0, 3, 'UTC'))]
            )
        ) AS line
    FROM
    (
        SELECT
            contract, version, digest, required, lines,
            arrayJoin(arrayDistinct(arrayConcat(arrayMap(r -> r.1, required), arrayMap(s -> s.1, lines)))) AS person
        FROM
        (
            SELECT
                texts.contract AS contract, texts.version AS version, texts.digest AS digest,
                arrayConcat(
                    [
                        (JSONExtractString(texts.document, 'parties', 'provider', 'signatory'), 'provider'),
                        (JSONExtractString(texts.document, 'parties', 'consumer', 'signatory'), 'consumer')
                    ],
                    arrayFlatten(
                        arrayMap(
                            c -> arrayMap(
                                p -> (p, concat('co-signer of ', JSONExtractString(c, 'id'))),
                                JSONExtract(c, 'co_signers', 'Array(String)')
                            ),
                            JSONExtractArrayRaw(texts.document, 'clauses')
                        )
                    )
                ) AS required,
                given.lines AS lines
            FROM
            (
                SELECT id AS contract, version, any(digest) AS digest, any(document) AS document
                FROM contract_texts
                WHERE kind = 'Contract' AND NOT retired
                GROUP BY id, version
            ) AS texts
            LEFT JOIN
            (
                SELECT contract, version, groupArray((person, key_id, signed_at, signature, recorded_at)) AS lines
                FROM
                (
                    SELECT
                        id AS contract, version,
                        JSONExtractString(each, 'person') AS person,
                        JSONExtractString(each, 'key_id') AS key_id,
                        JSONExtractString(each, 'signed_at') AS signed_at,
                        JSONExtractString(each, 'signature') AS signature,
                        min(broker_time) AS recorded_at
                    FROM
                    (
                        SELECT id, version, broker_time, arrayJoin(JSONExtractArrayRaw(assumeNotNull(signatures))) AS each
                        FROM document
                        WHERE kind = 'Contract' AND signatures IS NOT NULL
                            AND (id, version, digest) IN (
                                SELECT id, version, digest FROM contract_texts WHERE kind = 'Contract' AND NOT retired
                            )
                    )
                    GROUP BY contract, version, person, key_id, signed_at, signature
                    ORDER BY signed_at, person
                )
                GROUP BY contract, version
            ) AS given ON texts.contract = given.contract AND texts.version = given.version
        )
    )
) AS known
LEFT JOIN
(
    SELECT DISTINCT contract, version, toNullable(valid_from) AS valid_from, toNullable(valid_to) AS valid_to
    FROM contract_clauses
) AS terms ON known.contract = terms.contract AND known.version = terms.version
