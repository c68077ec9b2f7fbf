-- Which tiers do the risk policies that are published have? Those withdrawn have none; when a version is in force is not asked.
SELECT id AS policy, arrayDistinct(arrayFlatten(groupArray(tiers))) AS tiers
FROM
(
    SELECT id, version, JSONExtract(argMax(document, (broker_time, offset)), 'tiers', 'Array(Tuple(tier String))').tier AS tiers
    FROM document
    WHERE kind = 'RiskPolicy'
    GROUP BY id, version
    HAVING NOT argMax(retired, (broker_time, offset))
)
GROUP BY policy
ORDER BY policy
