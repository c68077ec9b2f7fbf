-- Was there such a person, and did they have keys: `told` has it of each time at which their document was published?
SELECT id, arraySort(groupArray((broker_time, offset, known, keyed))) AS told
FROM
(
    SELECT
        id, broker_time, offset, NOT retired AS known,
        NOT retired AND JSONLength(document, 'keys') > 0 AS keyed
    FROM document
    WHERE kind = 'Person'
)
GROUP BY id
