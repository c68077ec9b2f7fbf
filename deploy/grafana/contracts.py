"""Contracts: how fast each is used up, for how long its clauses were broken, and who has signed. Over both sources."""

from __future__ import annotations

from model import PROMETHEUS, STORE, chosen, dashboard, lines, source, table

_OF_IT = "contract IN (${contract:singlequote})"
_BURN = 'seamwatch_burn_rate{contract=~"${contract:regex}", window="%s"}'
_WHOSE = "{{contract}}/{{clause}} {{system}} {{cohort}}"

DASHBOARD = dashboard(
    "seamwatch-contracts",
    "Seamwatch: contracts",
    "How fast what each clause tolerates is used up (1 is just as much as agreed); for how long clauses were broken.",
    [
        source("store", "Store", STORE),
        source("prometheus", "Prometheus", PROMETHEUS),
        chosen(
            "contract",
            "Contract",
            "SELECT DISTINCT contract FROM contract_clauses WHERE valid_to > now() ORDER BY contract",
            multi=True,
        ),
    ],
    [
        table(
            "Burn: above 1 over the last hour and the last six",
            {"": f"{_BURN % '6h'} > 1 and ignoring (window) {_BURN % '1h'} > 1"},
            12,
            says="From a timer that runs `seamwatch burn --textfile FILE`. Empty is well only while that runs.",
        ),
        table(
            "Burn: above 1 over the last day and the last three",
            {"": f"{_BURN % '3d'} > 1 and ignoring (window) {_BURN % '1d'} > 1"},
            12,
        ),
        lines("Burn rate over the last hour", {_WHOSE: _BURN % "1h"}, red_above=1),
        lines("Burn rate over the last three days", {_WHOSE: _BURN % "3d"}, red_above=1),
        lines(
            "Freshness: share of the age agreed that is used",
            {_WHOSE: 'seamwatch_burn_age_used{contract=~"${contract:regex}"}'},
            unit="percentunit",
            red_above=1,
        ),
        lines(
            "Clauses of which nothing can be told, and the age of all this",
            {
                "unknown": 'sum(seamwatch_burn_unknown{contract=~"${contract:regex}"})',
                "seconds since it was asked": "time() - seamwatch_burn_asked_timestamp_seconds",
            },
        ),
        table(
            "Share of the time that an episode of each clause was open",
            f"""
SELECT contract, clause, system,
    intervalLengthSum(greatest(opened, from), least(ended, to)) / (to - from) AS open_share, count() AS episodes
FROM
(
    SELECT contract, clause, system, toUnixTimestamp(opened_at) AS opened, toUnixTimestamp($__fromTime) AS from,
        toUnixTimestamp($__toTime) AS to, ifNull(toUnixTimestamp(resolved_at), to) AS ended
    FROM violations
    WHERE {_OF_IT}
)
WHERE opened < to AND ended > from
GROUP BY contract, clause, system, from, to
ORDER BY open_share DESC
LIMIT 200
""",
            says="Of the time that the dashboard shows.",
        ),
        table(
            "How far what is open is from what was agreed",
            f"""
SELECT contract, clause, system, observed, limit, unit, if(limit > 0, observed / limit, NULL) AS times, since, summary
FROM violations
WHERE {_OF_IT} AND state != 'resolved' AND observed IS NOT NULL
ORDER BY times DESC
LIMIT 200
""",
        ),
        table(
            "Clauses in force",
            f"""
SELECT contract, version, clause, kind, severity, valid_from, agreed
FROM contract_clauses
WHERE {_OF_IT} AND valid_from <= now() AND valid_to > now()
ORDER BY contract, clause
LIMIT 500
""",
            height=10,
        ),
        table(
            "Signatures",
            f"""
SELECT contract, version, person, arrayStringConcat(roles, ', ') AS roles, signed, signed_at, recorded_at
FROM contract_signatures
WHERE {_OF_IT}
ORDER BY signed, contract, version
LIMIT 200
""",
        ),
    ],
    since="now-3d",
)
