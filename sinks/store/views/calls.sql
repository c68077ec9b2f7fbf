-- What did agents call, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM tool_call
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'tool_call')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'tool_call')
