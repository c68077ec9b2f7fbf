-- What did somebody vouch for, each event once?
SELECT * EXCEPT (key, headers, raw)
FROM attestation
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'attestation')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'attestation')
