-- What became of decisions, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM outcome
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'outcome')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'outcome')
