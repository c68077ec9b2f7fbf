"""What broke over a system in a period: how many episodes by clause, and those that matter most.

Drills are left out: nothing is broken in them. The period that a summary is about, its clause says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.follow_up import FollowUp
from seamwatch.clauses.follow_up.digest import period_start
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.judging.records import violation_of
from seamwatch.summed import Broken
from sinks.store.questions.rows import Micros, Where, columns, rows, values_of

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.client import Store

OF_CLAUSE: Final = 3
_WITHOUT_CLAUSE: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is summed up; ``agreed`` is False where the clause is gone, and a week is shown."""

    since: Micros
    until: Micros
    agreed: bool

    @property
    def every(self) -> int:
        """How long it is."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class _OfClause:
    clause: str
    number: int
    breaches: int
    going_on: int


_BY_CLAUSE: Final = """
SELECT CAST(clause, 'String') AS clause, count() AS number, countIf(severity = 'breach') AS breaches,
    countIf(resolved_at IS NULL) AS going_on
FROM violations %s GROUP BY clause ORDER BY number DESC, clause
"""
_WORST: Final = f"""
SELECT {columns(Violation)} FROM violations %s
ORDER BY resolved_at IS NOT NULL, severity != 'breach', opened_at DESC, violation_id
LIMIT {{of_clause:UInt64}} BY contract, clause
LIMIT {{most:UInt64}}
"""


def stretch_of(estate: Estate, contract: str, clause: str, system: str, ended_at: Micros) -> Stretch:
    """The period that a summary of a clause is about which ended then. Pure."""
    contracts = (one for one in estate.contracts_for(system, ended_at - 1) if one.id == contract)
    agreed = next((each for one in contracts for each in one.clauses if each.id == clause), None)
    if isinstance(agreed, FollowUp) and agreed.digest != "never":
        return Stretch(period_start(ended_at, agreed.digest), ended_at, agreed=True)
    every = getattr(getattr(agreed, "summary", None), "every", None)
    if isinstance(every, int):
        return Stretch(ended_at - every, ended_at, agreed=True)
    return Stretch(ended_at - _WITHOUT_CLAUSE, ended_at, agreed=False)


def broke(store: Store, system: str, since: Micros, until: Micros, most: int) -> Broken:
    """The episodes of a system that were open at any time of a period; the ``most`` that matter most of them.

    What goes on before what is over, breaches before warnings, the latest first; three of a clause at most, so that
    one that breaks often does not hide the others.
    """
    where = Where()
    where.equal(system=system)
    where.add("severity != {drill:String}", drill=DRILL)
    where.add("opened_at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')", until=str(until))
    where.add(
        "(resolved_at IS NULL OR resolved_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC'))", since=str(since)
    )
    found = rows(store, _OfClause, _BY_CLAUSE % where, where.values)
    number = sum(one.number for one in found)
    worst = values_of(store, _WORST % where, {**where.values, "most": most, "of_clause": OF_CLAUSE}) if number else []
    return Broken(
        number, sum(one.breaches for one in found), sum(one.going_on for one in found),
        tuple((one.clause, one.number) for one in found), tuple(map(violation_of, worst)),
    )  # fmt: skip
