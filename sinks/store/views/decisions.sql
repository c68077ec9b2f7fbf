-- What was decided, each event once?
-- This and the other views of events are without what is repeated, and without the bytes of the record. Of most rows the time
-- alone tells that they are no repetition; where they lie has to be read of the others only.
SELECT * EXCEPT (key, headers, raw)
FROM inference
WHERE event_time NOT IN (SELECT event_time FROM repeated WHERE record_type = 'inference')
    OR (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM repeated WHERE record_type = 'inference')
