"""What was decided and called, and under which version of which contract."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from sinks.store.questions.names import seen_systems
from sinks.store.questions.rows import Micros, Where, columns, rows, values_of

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, or a call of a tool; ``contracts`` are those in force then, as ``id@version``."""

    event_id: str
    event_time: Micros
    type: str
    system: str
    version: str
    config_digest: str | None
    use_case: str
    subject: str
    cohort: str | None
    tool: str | None
    decision: str | None
    score: float | None
    trace_id: str | None
    contracts: tuple[str, ...]
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions are asked for; what is None asks nothing. ``contract_version`` is of the contract."""

    system: str | None = None
    version: str | None = None
    cohort: str | None = None
    contract: str | None = None
    contract_version: str | None = None
    since: Micros | None = None
    until: Micros | None = None
    """Decided before."""
    event_id: str | None = None
    trace_id: str | None = None
    subject: str | None = None


_LATEST_FIRST: Final = "ORDER BY event_time DESC, event_id LIMIT {limit:UInt64} OFFSET {offset:UInt64}"
_TERM: Final = "SELECT min(valid_from) AS start, max(valid_to) AS end FROM contract_clauses"
_PATTERNS: Final = "SELECT DISTINCT arrayJoin(covers) AS pattern FROM contract_clauses"
_ANY_VERSION: Final = "startsWith(under, concat({contract:String}, '@'))"
_ONE_VERSION: Final = "under = concat({contract:String}, '@', {contract_version:String})"


def decisions(store: Store, wanted: Wanted, limit: int, offset: int = 0) -> list[Decided]:
    """Those that are wanted, the latest first, each once, at most so many, after ``offset`` of them."""
    where = Where()
    where.equal(event_id=wanted.event_id, trace_id=wanted.trace_id, subject=wanted.subject)
    where.equal(system=wanted.system, version=wanted.version, cohort=wanted.cohort)
    where.since("event_time", wanted.since)
    where.until("event_time", wanted.until)
    if wanted.contract is not None:
        _add_governed(store, where, wanted.contract, wanted.contract_version)
    sql = f"SELECT {columns(Decided)} FROM decided_under {where} {_LATEST_FIRST}"
    return rows(store, Decided, sql, {**where.values, "limit": limit, "offset": offset})


def _add_governed(store: Store, where: Where, contract: str, version: str | None) -> None:
    """The conditions of what a contract governed; its time and systems are asked for, so that nothing else is read."""
    of = Where()
    of.add("contract = {contract:String}", contract=contract)
    if version is not None:
        of.add("version = {contract_version:String}", contract_version=version)
    (term,) = values_of(store, f"{_TERM} {of}", of.values)
    patterns = [row["pattern"] for row in values_of(store, f"{_PATTERNS} {of}", of.values)]
    covered = [name for name in seen_systems(store) if any(fnmatchcase(name, pattern) for pattern in patterns)]
    where.add(
        f"arrayExists(under -> {_ANY_VERSION if version is None else _ONE_VERSION}, contracts)",
        **of.values,
    )
    where.add("system IN {systems:Array(String)}", systems=covered)
    where.add("event_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')", start=str(term["start"]))
    where.add("event_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC')", end=str(term["end"]))
