"""Which decisions were made on data older than agreed, and by which clause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.durations import format_duration
from sinks.store.questions.rows import Micros, Where, columns, count, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class StaleDecision:
    """A decision under a clause on the age of its data; ``because`` is dataset where the dataset was in breach."""

    event_id: str
    event_time: Micros
    system: str
    version: str
    subject: str
    decision: str | None
    score: float | None
    data_as_of: Micros | None
    age_seconds: int | None
    because: str
    dataset: str | None
    contract: str
    clause: str
    max_lag_seconds: float | None
    violation_id: str | None
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Since:
    """Of which system, and decided since when; None asks nothing."""

    system: str | None = None
    since: Micros | None = None

    def where(self) -> Where:
        """As conditions of a decision."""
        where = Where()
        where.equal(system=self.system)
        where.since("event_time", self.since)
        return where


_LATEST_FIRST: Final = "ORDER BY event_time DESC, event_id, contract, clause"
_ASKED_FOR: Final = (
    "system IN (SELECT covered.system FROM covered INNER JOIN contract_clauses AS agreed "
    "ON covered.contract = agreed.contract AND covered.version = agreed.version "
    "WHERE agreed.kind = 'freshness' AND JSONExtractString(agreed.agreed, 'of') = 'inference')"
)


def stale(store: Store, since: Since, limit: int) -> list[StaleDecision]:
    """The decisions made on data older than agreed, the latest first, at most so many."""
    where = since.where()
    sql = f"SELECT {columns(StaleDecision)} FROM stale_decisions {where} {_LATEST_FIRST} LIMIT {{limit:UInt32}}"
    return rows(store, StaleDecision, sql, {**where.values, "limit": limit})


def number(store: Store, since: Since) -> int:
    """How many there are, whatever the limit."""
    where = since.where()
    return count(store, f"SELECT count() AS found FROM stale_decisions {where}", where.values)


def ageless(store: Store, since: Since) -> int:
    """How many decisions do not say how old their data is, though an agreed clause asks for it."""
    where = since.where()
    where.add("data_as_of IS NULL")
    where.add(_ASKED_FOR)
    return count(store, f"SELECT count() AS found FROM decisions {where}", where.values)


def age(one: StaleDecision) -> str:
    """How old its data was."""
    return "age unknown" if one.age_seconds is None else f"{_duration(one.age_seconds)} old"


def agreed(one: StaleDecision) -> str:
    """What was agreed of the age of its data, and is not held."""
    if one.because == "dataset":
        return f"{one.dataset} was in breach"
    return f"at most {_duration(one.max_lag_seconds or 0)}"


def _duration(seconds: float) -> str:
    return format_duration(int(seconds * 1_000_000))
