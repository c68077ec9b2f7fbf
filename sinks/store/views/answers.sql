-- Which answers were given, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM acknowledgement
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'acknowledgement')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'acknowledgement')
