-- What was announced to change, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM config_change
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'config_change')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'config_change')
