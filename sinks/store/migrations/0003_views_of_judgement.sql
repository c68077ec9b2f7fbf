-- The questions about what was judged: staleness, answers, signals, drift.

-- A dataset's freshness breaches, as spans of event time.
CREATE OR REPLACE VIEW stale_spans AS
SELECT
    violation_id, contract, clause, CAST(system, 'String') AS dataset, opened_at,
    ifNull(resolved_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) AS ended_at
FROM violations
WHERE kind = 'freshness' AND severity = 'breach'
    AND system IN (SELECT id FROM documents WHERE kind = 'System' AND JSONExtractString(document, 'type') = 'dataset');

-- Decisions made on data older than agreed: each is named with the clause it breaks, or the breach it was made in.
CREATE OR REPLACE VIEW stale_decisions AS
SELECT
    decisions.event_id AS event_id,
    decisions.event_time AS event_time,
    CAST(decisions.system, 'String') AS system,
    CAST(decisions.version, 'String') AS version,
    decisions.subject AS subject,
    CAST(decisions.decision, 'Nullable(String)') AS decision,
    decisions.score AS score,
    decisions.data_as_of AS data_as_of,
    dateDiff('second', decisions.data_as_of, decisions.event_time) AS age_seconds,
    'decision' AS because,
    CAST(NULL, 'Nullable(String)') AS dataset,
    clauses.contract AS contract,
    clauses.clause AS clause,
    toNullable(clauses.max_lag_seconds) AS max_lag_seconds,
    CAST(NULL, 'Nullable(String)') AS violation_id,
    decisions.topic AS topic,
    decisions.partition AS partition,
    decisions.offset AS offset
FROM inference AS decisions
INNER JOIN
(
    SELECT
        pairs.system AS system, terms.contract AS contract, terms.clause AS clause, valid_from, valid_to, max_lag_seconds
    FROM
    (
        SELECT
            contract, clause, valid_from, valid_to,
            arraySum(
                part -> toFloat64(part[1]) * transform(
                    part[2], ['ms', 's', 'm', 'h', 'd', 'w'], [0.001, 1., 60., 3600., 86400., 604800.], 0.
                ),
                extractAllGroupsVertical(JSONExtractString(agreed, 'max_lag'), '(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d|w)')
            ) AS max_lag_seconds
        FROM contract_clauses
        WHERE kind = 'freshness' AND JSONExtractString(agreed, 'of') = 'inference'
    ) AS terms
    INNER JOIN (SELECT DISTINCT system, contract FROM covered) AS pairs ON terms.contract = pairs.contract
) AS clauses ON decisions.system = clauses.system
WHERE decisions.data_as_of IS NOT NULL
    AND decisions.event_time >= clauses.valid_from AND decisions.event_time < clauses.valid_to
    AND dateDiff('microsecond', assumeNotNull(decisions.data_as_of), decisions.event_time)
        > clauses.max_lag_seconds * 1000000
UNION ALL
SELECT
    decisions.event_id, decisions.event_time, CAST(decisions.system, 'String'), CAST(decisions.version, 'String'),
    decisions.subject, CAST(decisions.decision, 'Nullable(String)'), decisions.score, decisions.data_as_of,
    dateDiff('second', decisions.data_as_of, decisions.event_time), 'dataset', toNullable(spans.dataset),
    CAST(spans.contract, 'String'), CAST(spans.clause, 'String'), NULL, toNullable(spans.violation_id),
    decisions.topic, decisions.partition, decisions.offset
FROM inference AS decisions
INNER JOIN
(
    SELECT users.system AS system, dataset, contract, clause, violation_id, opened_at, ended_at
    FROM stale_spans
    INNER JOIN
    (
        SELECT id AS system, arrayJoin(JSONExtract(document, 'depends_on', 'Array(String)')) AS needs
        FROM documents
        WHERE kind = 'System'
    ) AS users ON stale_spans.dataset = users.needs
) AS spans ON decisions.system = spans.system
WHERE decisions.event_time >= spans.opened_at AND decisions.event_time < spans.ended_at;

-- Every answer, beside what it answers.
CREATE OR REPLACE VIEW acknowledgements AS
SELECT
    answers.event_id AS event_id,
    answers.event_time AS answered_at,
    CAST(answers.system, 'String') AS system,
    CAST(answers.of, 'String') AS of,
    answers.reference AS reference,
    answers.person AS person,
    CAST(answers.answer, 'String') AS answer,
    answers.note AS note,
    answers.key_id AS key_id,
    answers.signature IS NOT NULL AS signed,
    asked.summary AS summary,
    asked.since AS asked_since,
    answers.topic AS topic,
    answers.partition AS partition,
    answers.offset AS offset
FROM acknowledgement AS answers
LEFT JOIN
(
    SELECT 'violation' AS of, violation_id AS reference, toNullable(summary) AS summary, toNullable(opened_at) AS since
    FROM violations
    UNION ALL
    SELECT 'change', change_id, toNullable(any(summary)), toNullable(min(event_time))
    FROM config_change
    GROUP BY change_id
) AS asked ON answers.of = asked.of AND answers.reference = asked.reference;

-- How long each person who was asked took to answer; an unanswered one has no answer and no latency.
CREATE OR REPLACE VIEW acknowledgement_latency AS
SELECT
    asked.of AS of,
    asked.reference AS reference,
    asked.system AS system,
    asked.person AS person,
    asked.asked_at AS asked_at,
    answers.answered_at AS answered_at,
    answers.answer AS answer,
    if(answers.answered_at IS NULL, NULL, dateDiff('millisecond', asked.asked_at, answers.answered_at) / 1000)
        AS latency_seconds
FROM
(
    SELECT
        'violation' AS of, pages.violation_id AS reference, CAST(any(episodes.system), 'String') AS system,
        pages.person AS person, min(pages.sent_at) AS asked_at
    FROM page AS pages
    INNER JOIN violations AS episodes ON pages.violation_id = episodes.violation_id
    WHERE pages.result = 'delivered'
    GROUP BY pages.violation_id, pages.person
    UNION ALL
    SELECT 'change', changes.change_id, changes.system, terms.person, min(changes.asked_at)
    FROM
    (
        SELECT change_id, CAST(system, 'String') AS system, CAST(kind, 'String') AS kind, min(event_time) AS asked_at
        FROM config_change
        GROUP BY change_id, system, kind
    ) AS changes
    INNER JOIN
    (
        SELECT
            pairs.system AS system, valid_from, valid_to,
            JSONExtract(agreed, 'kinds', 'Array(String)') AS kinds,
            arrayJoin(JSONExtract(agreed, 'acknowledgers', 'Array(String)')) AS person
        FROM contract_clauses
        INNER JOIN (SELECT DISTINCT system, contract FROM covered) AS pairs ON contract_clauses.contract = pairs.contract
        WHERE kind = 'change_notice'
    ) AS terms ON changes.system = terms.system
    WHERE changes.asked_at >= terms.valid_from AND changes.asked_at < terms.valid_to
        AND (empty(terms.kinds) OR has(terms.kinds, changes.kind))
    GROUP BY changes.change_id, changes.system, terms.person
) AS asked
LEFT JOIN
(
    SELECT
        CAST(of, 'String') AS of, reference, person, toNullable(min(event_time)) AS answered_at,
        toNullable(argMin(CAST(answer, 'String'), event_time)) AS answer
    FROM acknowledgement
    GROUP BY of, reference, person
) AS answers ON asked.of = answers.of AND asked.reference = answers.reference AND asked.person = answers.person;

-- The five signals of every system, version and day: latency, accuracy (Brier score of the outcomes known so far),
-- drift (episodes of a distribution clause open now), abuse, fallback.
CREATE OR REPLACE VIEW five_signals AS
SELECT
    served.system AS system,
    served.version AS version,
    served.day AS day,
    served.events AS events,
    served.latency_p50_ms AS latency_p50_ms,
    served.latency_p95_ms AS latency_p95_ms,
    served.latency_p99_ms AS latency_p99_ms,
    known.outcomes AS outcomes,
    known.brier AS brier,
    drifting.episodes AS open_drift_episodes,
    served.abuse_share AS abuse_share,
    served.fallback_share AS fallback_share
FROM
(
    SELECT
        CAST(system, 'String') AS system, CAST(version, 'String') AS version, toDate(event_time, 'UTC') AS day,
        count() AS events, quantileTDigest(0.5)(latency_ms) AS latency_p50_ms,
        quantileTDigest(0.95)(latency_ms) AS latency_p95_ms, quantileTDigest(0.99)(latency_ms) AS latency_p99_ms,
        countIf(abuse) / events AS abuse_share, countIf(fallback) / events AS fallback_share
    FROM inference
    GROUP BY system, version, day
) AS served
LEFT JOIN
(
    SELECT
        CAST(decided.system, 'String') AS system, CAST(decided.version, 'String') AS version,
        toDate(decided.event_time, 'UTC') AS day, count() AS outcomes,
        toNullable(avg(pow(coalesce(labels.score, decided.score) - labels.label, 2))) AS brier
    FROM outcome AS labels
    INNER JOIN inference AS decided ON labels.inference_id = decided.event_id AND labels.system = decided.system
    GROUP BY system, version, day
) AS known ON served.system = known.system AND served.version = known.version AND served.day = known.day
LEFT JOIN
(
    SELECT CAST(system, 'String') AS system, count() AS episodes
    FROM violations
    WHERE kind = 'distribution' AND state != 'resolved'
    GROUP BY system
) AS drifting ON served.system = drifting.system;

-- Drift on every system that serves decisions, now: what its distribution clauses say, or that none watches it.
CREATE OR REPLACE VIEW drift_now AS
SELECT
    systems.system AS system,
    systems.owner AS owner,
    multiIf(episodes.open > 0, 'drifting', terms.clauses > 0, 'steady', 'unwatched') AS drift,
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
    SELECT pairs.system AS system, count() AS clauses
    FROM contract_clauses AS agreed
    INNER JOIN (SELECT DISTINCT system, contract, version FROM covered) AS pairs
        ON agreed.contract = pairs.contract AND agreed.version = pairs.version
    WHERE agreed.kind = 'distribution'
    GROUP BY pairs.system
) AS terms ON systems.system = terms.system
LEFT JOIN
(
    SELECT
        CAST(system, 'String') AS system, count() AS open, argMax(observed, detected_at) AS observed,
        argMax(limit, detected_at) AS limit, argMax(CAST(unit, 'Nullable(String)'), detected_at) AS unit,
        min(since) AS since, argMax(CAST(person, 'Nullable(String)'), detected_at) AS person,
        toNullable(argMax(violation_id, detected_at)) AS violation_id
    FROM violations
    WHERE kind = 'distribution' AND state != 'resolved'
    GROUP BY system
) AS episodes ON systems.system = episodes.system;
