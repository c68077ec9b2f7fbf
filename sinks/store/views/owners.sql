-- Who is on the hook for a system? An empty owner is a system that nobody owns.
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
) AS contracts ON systems.system = contracts.system
