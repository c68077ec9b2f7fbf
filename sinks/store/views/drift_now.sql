-- Do the scores of each system that serves still look like those approved?
-- A clause of kind `distribution` has other findings than scores that shifted (a share): a review that is overdue (a time),
-- and that nothing could be judged for long. Neither is drift.
SELECT
    systems.system AS system,
    systems.owner AS owner,
    multiIf(
        episodes.open > 0, 'drifting',
        terms.clauses > 0, 'steady',
        terms.contracts = 0 AND systems.type != 'agent', 'steady',
        'unwatched'
    ) AS drift,
    episodes.observed AS observed,
    episodes.limit AS limit,
    episodes.unit AS unit,
    episodes.since AS since,
    episodes.person AS person,
    episodes.violation_id AS violation_id,
    systems.last_seen AS last_seen
FROM (SELECT * FROM inventory WHERE type IN ('model', 'agent', 'pipeline') AND events > 0) AS systems
LEFT JOIN
(
    SELECT pairs.system AS system, count() AS contracts, countIf(agreed.kind = 'distribution') AS clauses
    FROM contract_clauses AS agreed
    INNER JOIN (SELECT DISTINCT system, contract, version FROM covered) AS pairs
        ON agreed.contract = pairs.contract AND agreed.version = pairs.version
    GROUP BY pairs.system
) AS terms ON systems.system = terms.system
LEFT JOIN
(
    SELECT
        CAST(system, 'String') AS system, count() AS open, argMax(observed, detected_at) AS observed,
        argMax(limit, detected_at) AS limit, argMax(CAST(unit, 'Nullable(String)'), detected_at) AS unit,
        min(since) AS since, argMax(CAST(person, 'Nullable(String)'), detected_at) AS person,
        toNullable(argMax(violation_id, detected_at)) AS violation_id
    FROM violations AS found
    WHERE kind = 'distribution' AND state != 'resolved' AND found.unit = 'share'
    GROUP BY system
) AS episodes ON systems.system = episodes.system
