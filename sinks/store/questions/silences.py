"""Which pages were held back, until when and why, and which episodes opened meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence; ``clause`` None: of all clauses of the contract. ``ends``: when it is or was over.

    ``episodes`` opened while it was in force, of what it holds back; of ``untold`` nobody was told until they ended.
    """

    silence: str
    system: str
    contract: str
    clause: str | None
    began: Micros
    ends: Micros
    over: bool
    summary: str
    episodes: int
    untold: int


_SILENCES: Final = """
SELECT
    violation_id, CAST(system, 'String') AS system, CAST(contract, 'String') AS contract, slice,
    opened_at AS began, ifNull(resolved_at, addMicroseconds(opened_at, toInt64(ifNull(limit, 0) * 1000000))) AS ends,
    CAST(state = 'resolved', 'Bool') AS over, summary, evidence
FROM violations
WHERE kind = 'silence'"""
_NAMES: Final = """
SELECT event_id, splitByChar('/', subject)[-1] AS name FROM attestations WHERE kind = 'silence'"""
_HELD: Final = """
SELECT
    found.violation_id AS violation_id, CAST(found.system, 'String') AS system,
    CAST(found.contract, 'String') AS contract, CAST(found.clause, 'String') AS clause, found.opened_at AS opened_at,
    found.state = 'resolved' AND found.violation_id NOT IN (SELECT violation_id FROM page WHERE result = 'delivered')
    AS untold
FROM violations AS found
WHERE found.kind != 'silence' AND found.severity != 'drill'"""


def silences(store: Store, system: str | None = None, *, over: bool = True) -> list[Silence]:
    """Those of a system, or of all, the latest first; without ``over`` only what is in force."""
    where = Where()
    where.equal(system=system)
    if not over:
        where.add("NOT over")
    sql = f"""
SELECT {columns(Silence)} FROM
(
    SELECT
        any(names.name) AS silence, quiet.system AS system, quiet.contract AS contract, quiet.slice AS clause,
        quiet.began AS began, quiet.ends AS ends, quiet.over AS over, quiet.summary AS summary,
        countIf(held.opened_at >= quiet.began AND held.opened_at <= quiet.ends
            AND (quiet.slice IS NULL OR quiet.slice = held.clause)) AS episodes,
        countIf(held.opened_at >= quiet.began AND held.opened_at <= quiet.ends
            AND (quiet.slice IS NULL OR quiet.slice = held.clause) AND held.untold) AS untold
    FROM ({_SILENCES}) AS quiet
    LEFT JOIN ({_NAMES}) AS names ON quiet.evidence[1].event_id = names.event_id
    LEFT JOIN ({_HELD}) AS held ON quiet.system = held.system AND quiet.contract = held.contract
    GROUP BY quiet.violation_id, system, contract, clause, began, ends, over, summary
) {where} ORDER BY began DESC, silence"""
    return rows(store, Silence, sql, where.values)
