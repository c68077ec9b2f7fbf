-- Which contract, in its latest version, covers which system?
SELECT system, contract, version, seam, escalation
FROM
(
    SELECT
        system, contract, version, seam, escalation,
        countIf(contract != 'defaults') OVER (PARTITION BY system) AS contracts
    FROM
    (
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
        WHERE match(system, expression)
    )
)
WHERE contract != 'defaults' OR contracts = 0
