-- Which datasets were refreshed, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM dataset_refresh
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'dataset_refresh')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'dataset_refresh')
