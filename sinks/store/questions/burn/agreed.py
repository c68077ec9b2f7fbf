"""Which clauses are in force now, as this version of Seamwatch reads them, and which systems each binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.clause import BEGINNING
from seamwatch.documents.defaults import DEFAULTS, built_in
from sinks.store.questions.rows import Micros, Where, rows

if TYPE_CHECKING:
    from seamwatch.clauses import Clause
    from sinks.store.client import Store

_IN_FORCE: Final = """
SELECT contract, version, clause, kind, agreed, covers, valid_from FROM contract_clauses
WHERE valid_from <= fromUnixTimestamp64Micro({now:Int64}, 'UTC')
    AND valid_to > fromUnixTimestamp64Micro({now:Int64}, 'UTC')
ORDER BY contract, version
"""
_SYSTEMS: Final = """
SELECT system, argMax(type, rank) = 'dataset' AS is_dataset
FROM
(
    SELECT id AS system, JSONExtractString(document, 'type') AS type, 2 AS rank FROM documents WHERE kind = 'System'
    UNION ALL SELECT DISTINCT CAST(system, 'String'), 'model', 1 FROM decisions {where}
    UNION ALL SELECT DISTINCT CAST(system, 'String'), 'agent', 1 FROM calls {where}
    UNION ALL SELECT DISTINCT CAST(system, 'String'), 'dataset', 0 FROM refreshes {where}
)
GROUP BY system ORDER BY system
"""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A clause of a version that is in force; ``agreed`` is its JSON, or ``built_in`` what is in force undocumented."""

    contract: str
    version: str
    clause: str
    kind: str
    agreed: str
    covers: tuple[str, ...]
    valid_from: Micros
    built_in: Clause | None = None

    def read(self) -> Clause | None:
        """The clause; None where this version cannot read it, as then no stage of it does either."""
        from pydantic import ValidationError

        from seamwatch.clauses import kinds

        if self.built_in is not None:
            return self.built_in
        kind = kinds().get(self.kind)
        try:
            return None if kind is None else kind.model_validate_json(self.agreed)
        except ValidationError:
            return None

    def binds(self, system: str) -> bool:
        """Whether its contract covers a system by name."""
        return any(fnmatchcase(system, pattern) for pattern in self.covers)


@dataclass(frozen=True, slots=True)
class Known:
    """A system that is declared, or had events; what is refreshed is a data set unless it is declared otherwise."""

    system: str
    is_dataset: bool


def in_force(store: Store, now: Micros) -> list[Agreed]:
    """All clauses that are in force at a time, the built-in defaults among them unless others are published."""
    found = rows(store, Agreed, _IN_FORCE, {"now": str(now)})
    if any(one.contract == DEFAULTS for one in found):
        return found
    return [*found, *_built_in()]


def _built_in() -> Iterator[Agreed]:
    contract = built_in()
    for clause in contract.clauses:
        covers = tuple(contract.covers)
        yield Agreed(contract.id, contract.version, clause.id, clause.kind, "", covers, BEGINNING, clause)


def systems(store: Store, since: Micros, until: Micros) -> list[Known]:
    """The systems that are declared, or had events in the time."""
    where = Where()
    where.since("event_time", since)
    where.until("event_time", until)
    return rows(store, Known, _SYSTEMS.format(where=where), where.values)


def bound(clauses: Sequence[Agreed], known: Iterable[Known]) -> Mapping[str, tuple[Known, ...]]:
    """By contract the systems that it binds: the defaults bind what no other contract does."""
    contracts = {one.contract: one for one in clauses}
    found: dict[str, list[Known]] = {name: [] for name in contracts}
    for system in known:
        covering = [name for name, one in contracts.items() if one.binds(system.system)]
        for name in covering if covering == [DEFAULTS] else (name for name in covering if name != DEFAULTS):
            found[name].append(system)
    return {name: tuple(those) for name, those in found.items()}
