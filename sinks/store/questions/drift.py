"""Whether the scores of each system that serves still look like those approved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from seamwatch.judging.patterns.wording import number_text
from sinks.store.questions.inventory import Running, inventory
from sinks.store.questions.rows import Micros, Where, columns, rows

if TYPE_CHECKING:
    from seamwatch.clauses.distribution import Distribution
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Drift:
    """How the scores of a system stand; ``drift`` is drifting, unwatched, learning or steady.

    Learning: what they are to be compared with is not complete, so that nothing can be said of them yet.
    """

    system: str
    owner: str
    drift: str
    observed: float | None
    limit: float | None
    unit: str | None
    since: Micros | None
    person: str | None
    violation_id: str | None
    last_seen: Micros | None

    @property
    def drifts(self) -> bool:
        """Whether they are no longer those approved."""
        return self.drift == "drifting"


_WORST_FIRST: Final = ("drifting", "unwatched", "learning", "steady")
_FEWEST: Final = 1_000
"""A reference of first scores takes so many at least; so many events at least have been seen by then."""
_AGREED: Final = """
SELECT pairs.system AS system, agreed.agreed AS clause
FROM contract_clauses AS agreed
INNER JOIN (SELECT DISTINCT system, contract, version FROM covered) AS pairs
    ON agreed.contract = pairs.contract AND agreed.version = pairs.version
{where}
"""


@dataclass(frozen=True, slots=True)
class _Agreed:
    system: str
    clause: str


def drift(store: Store, system: str | None = None) -> list[Drift]:
    """Every system that serves, or one, the worst first."""
    where = Where()
    where.equal(system=system)
    found = rows(store, Drift, f"SELECT {columns(Drift)} FROM drift_now {where}", where.values)
    if any(one.drift == "steady" for one in found):
        found = _distinguished(found, _agreed(store, system), inventory(store, system))
    return sorted(found, key=lambda one: (_WORST_FIRST.index(one.drift), one.system))


def _agreed(store: Store, system: str | None) -> list[_Agreed]:
    where = Where()
    where.add("agreed.kind = 'distribution'")
    if system is not None:
        where.add("pairs.system = {system:String}", system=system)
    return rows(store, _Agreed, _AGREED.format(where=where), where.values)


def learning(clauses: Iterable[Distribution], running: Running) -> bool:
    """Whether none of the clauses over a system has scores to compare with, by the time of what was seen of it.

    Of first scores it is told by when the system was seen first, and by how often.
    """
    last, first = running.last_seen, running.first_seen
    if last is None or first is None:
        return False
    for clause in clauses:
        reference, end = clause.reference, clause.reference.end
        if reference.first is None:
            if end is None or last >= end:
                return False
        elif last - first >= reference.first and running.events >= _FEWEST:
            return False
    return True


def _distinguished(found: Sequence[Drift], agreed: Iterable[_Agreed], running: Iterable[Running]) -> list[Drift]:
    """With those that are learning told from those that are steady."""
    from seamwatch.clauses.distribution import Distribution
    from seamwatch.documents.defaults import built_in

    by_default = [clause for clause in built_in().clauses if isinstance(clause, Distribution)]
    clauses: dict[str, list[Distribution]] = {}
    for one in agreed:
        readable = clauses.setdefault(one.system, [])
        # One that this version cannot read is judged by no stage of it either.
        with suppress(ValidationError):
            readable.append(Distribution.model_validate_json(one.clause))
    seen = {one.system: one for one in running}

    def told(one: Drift) -> Drift:
        if one.drift != "steady" or one.system not in seen:
            return one
        watching = clauses.get(one.system, by_default)
        if not watching:
            return replace(one, drift="unwatched")
        return replace(one, drift="learning") if learning(watching, seen[one.system]) else one

    return [told(one) for one in found]


def moved(one: Drift) -> str:
    """How far the scores of a system have moved, and how far they may; nothing where that is not known."""
    if one.observed is None:
        return ""
    agreed = "" if one.limit is None else f", agreed {number_text(one.limit, one.limit)}"
    return f"{number_text(one.observed, one.limit)}{agreed} {one.unit or ''}".rstrip()
