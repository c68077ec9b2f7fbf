-- What was violated: every episode in its latest state?
SELECT
    violation_id, contract, contract_version, contract_digest, clause, kind, system, slice, severity, state, observed,
    limit, unit, summary, opened_at, since, detected_at, person, step, acknowledged_at, acknowledged_by, resolved_at,
    evidence, unsigned_by
FROM violation
ORDER BY broker_time DESC, offset DESC
LIMIT 1 BY violation_id
