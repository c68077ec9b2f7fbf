"""What a system stands on: its data and how fresh that is, the age of what was decided on, and what was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.freshness import Freshness
from seamwatch.durations import SECOND
from sinks.store.questions.cards.model import DecidedOn, Source
from sinks.store.questions.rows import Micros, rows
from sinks.store.questions.sources import WITHIN, values_of

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.client import Store
    from sinks.store.questions.unjudged import Period


@dataclass(frozen=True, slots=True)
class _Refreshed:
    system: str
    refreshed_at: Micros
    data_as_of: Micros
    refreshes: int


@dataclass(frozen=True, slots=True)
class _DecidedOn:
    events: int
    without_age: int
    median_seconds: float | None
    most_seconds: float | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A text of a document that was published, for the first time with this content."""

    kind: str
    id: str
    version: str
    digest: str
    at: Micros


_REFRESHED: Final = """
SELECT CAST(system, 'String') AS system, max(event_time) AS refreshed_at, max(refreshes.data_as_of) AS data_as_of,
    count() AS refreshes
FROM refreshes
WHERE system IN {systems:Array(String)} AND event_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
GROUP BY system
"""
_DECIDED_ON: Final = f"""
SELECT
    count() AS events, countIf(data_as_of IS NULL) AS without_age,
    toNullable(quantileTDigestOrNull(0.5)(dateDiff('millisecond', data_as_of, event_time) / 1000)) AS median_seconds,
    max(dateDiff('millisecond', data_as_of, event_time) / 1000) AS most_seconds
FROM decisions WHERE {WITHIN}
"""
_PUBLISHED: Final = """
SELECT CAST(kind, 'String') AS kind, id, version, digest, min(document.published_at) AS at
FROM document
WHERE NOT retired AND document.published_at IS NOT NULL
    AND ((kind = 'System' AND id = {system:String}) OR (kind = 'Contract' AND id IN {contracts:Array(String)}))
GROUP BY kind, id, version, digest
HAVING at < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
ORDER BY at, kind, id, version
"""


def sources(store: Store, estate: Estate, system: str, period: Period) -> list[Source]:
    """The data sets that a system declares that it is fed by, and itself where it is one."""
    declared = estate.systems.get(system)
    if declared is None:
        return []
    names = [*declared.depends_on, *([system] if declared.type == "dataset" else [])]
    known = {one.system: one for one in rows(store, _Refreshed, _REFRESHED, values_of(names, period))}
    return [_source(name, known.get(name), estate, period) for name in dict.fromkeys(names)]


def _source(name: str, known: _Refreshed | None, estate: Estate, period: Period) -> Source:
    agreed = [
        clause.max_lag / SECOND
        for contract in estate.contracts_for(name, period.until - 1)
        for clause in contract.clauses
        if isinstance(clause, Freshness) and clause.of == "dataset"
    ]
    return Source(
        dataset=name,
        declared=name in estate.systems,
        refreshed_at=None if known is None else known.refreshed_at,
        data_as_of=None if known is None else known.data_as_of,
        age_seconds=None if known is None else max(0.0, (period.until - known.data_as_of) / SECOND),
        agreed_seconds=min(agreed, default=None),
        refreshes=0 if known is None else known.refreshes,
    )


def decided_on(store: Store, system: str, period: Period) -> DecidedOn | None:
    """How old the data was that decisions were made on; None without decisions."""
    (found,) = rows(store, _DecidedOn, _DECIDED_ON, values_of([system], period))
    if not found.events:
        return None
    return DecidedOn(
        events=found.events,
        without_age=found.without_age,
        median_seconds=found.median_seconds,
        most_seconds=found.most_seconds,
    )


def published(store: Store, system: str, contracts: Iterable[str], until: Micros) -> Sequence[Publication]:
    """The texts of the document of a system and of contracts, the oldest first."""
    values: Mapping[str, object] = {"system": system, "contracts": sorted(set(contracts)), "until": str(until)}
    return rows(store, Publication, _PUBLISHED, values)
