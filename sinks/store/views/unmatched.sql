-- What do other views leave out, because nothing on record goes with it?
-- Outcomes without their decision, answers to what nobody was asked, pages about nothing that was judged.
SELECT
    'outcome' AS type, event_id, event_time, CAST(system, 'String') AS system, inference_id AS reference,
    'no decision of this system has this id' AS why, topic, partition, offset
FROM outcomes
WHERE (system, inference_id) NOT IN
(
    SELECT system, event_id
    FROM inference
    WHERE event_id IN (SELECT inference_id FROM outcome)
)
UNION ALL
SELECT
    'acknowledgement', event_id, event_time, CAST(system, 'String'), reference,
    concat('no ', of, ' has this id'), topic, partition, offset
FROM answers
WHERE (of, reference) NOT IN
(
    SELECT 'violation', violation_id FROM violation
    UNION ALL
    SELECT 'change', change_id FROM config_change
    UNION ALL
    SELECT 'summary', notice_id FROM notice
)
UNION ALL
SELECT
    'page', '', sent_at, '', violation_id, 'no violation and no notice has this id', topic, partition, offset
FROM page
WHERE violation_id NOT IN
(
    SELECT violation_id FROM violation
    UNION ALL
    SELECT notice_id FROM notice
)
