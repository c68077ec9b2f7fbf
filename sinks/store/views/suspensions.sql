-- Who suspended or resumed what, each time once, whether or not it counted?
SELECT * EXCEPT (key, headers, raw)
FROM suspension
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'suspension')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'suspension')
