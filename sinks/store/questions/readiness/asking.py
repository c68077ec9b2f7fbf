"""What the questions of readiness need, asked of the store and of the documents for all systems at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.drill import Drill
from seamwatch.clauses.drill.statement import Held, read_statement
from seamwatch.clauses.review import Review as ReviewClause
from seamwatch.durations import DAY
from seamwatch.engine.seams import Seams
from seamwatch.errors import StoreError
from sinks.store.questions.due import due
from sinks.store.questions.inventory import inventory
from sinks.store.questions.readiness.deciding import decided
from sinks.store.questions.readiness.known import Drilled, Known, Pulled, Reachable, Reviewed
from sinks.store.questions.readiness.watching import watched
from sinks.store.questions.reviews import Review, all_reviews
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.client import Store
    from sinks.store.questions.readiness.row import Answer

PULLED_DAYS: Final = 30
"""The log that is pulled is of so many days."""
_WRITES: Final = ("ALL", "INSERT", "ALTER", "DELETE", "DROP")


@dataclass(frozen=True, slots=True)
class _Log:
    system: str
    decisions: int
    newest: Micros | None


_DRILLS: Final = f"SELECT {columns(Review)} FROM attestation WHERE kind = 'drill' ORDER BY event_time, event_id"
_REACHED: Final = """
SELECT
    person, count() AS asked, countIf(answered_at IS NOT NULL) AS answered,
    argMin(reference, latency_seconds) AS fastest,
    argMin(answered_at, latency_seconds) AS fastest_at,
    min(latency_seconds) AS fastest_seconds
FROM acknowledgement_latency WHERE of = 'violation' GROUP BY person
"""
_PULLED: Final = """
SELECT system, sum(found) AS decisions, max(newest) AS newest
FROM
(
    SELECT CAST(system, 'String') AS system, count() AS found, toNullable(max(event_time)) AS newest
    FROM decisions WHERE event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') GROUP BY system
    UNION ALL
    SELECT CAST(system, 'String') AS system, count() AS found, toNullable(max(event_time)) AS newest
    FROM calls WHERE event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') GROUP BY system
)
GROUP BY system
"""


def readiness(store: Store, estate: Estate, now: Micros, systems: Sequence[str] | None = None) -> list[Answer]:
    """The answers about every system that is declared or was seen in traffic, or about those that are named.

    The log of decisions is pulled by the store's own user. Raises StoreError and UnreachableError.
    """
    running = {one.system: one for one in inventory(store)}
    names = sorted({*running, *estate.systems}) if systems is None else list(systems)
    attested, seams = all_reviews(store), Seams(estate, None)
    scheduled = due(estate, attested, {name: one.first_seen for name, one in running.items()}, now)
    reached = {one.person: one for one in rows(store, Reachable, _REACHED)}
    held = _by_system(rows(store, Review, _DRILLS))
    reviewed = _by_system(attested)
    watching = watched(store, estate, {name: running.get(name) for name in names}, now)
    pulled = _pulled(store, now)
    answers: list[Answer] = []
    for name in names:
        log = pulled[1].get(name)
        known = Known(
            system=name,
            now=now,
            estate=estate,
            running=running.get(name),
            due=[one for one in scheduled if one.system == name],
            drills=list(_drills(seams, estate, name, held.get(name, ()), now)),
            reached=reached,
            contract_reviews=list(_contract_reviews(seams, estate, name, reviewed.get(name, ()), now)),
            watched=watching[name],
            pulled=Pulled(
                store.address.user,
                pulled[0],
                0 if log is None else log.decisions,
                None if log is None else log.newest,
                PULLED_DAYS,
            ),
        )
        answers += decided(known)
    return answers


def _by_system(attested: Sequence[Review]) -> dict[str, list[Review]]:
    found: dict[str, list[Review]] = {}
    for one in attested:
        found.setdefault(one.system, []).append(one)
    return found


def _drills(seams: Seams, estate: Estate, system: str, attested: Sequence[Review], now: Micros) -> Iterator[Drilled]:
    """The drills that were held, by those who may hold one."""
    drilling = [
        bound
        for contract in estate.contracts_for(system, now)
        for bound in seams.covering(contract, system).values()
        if isinstance(bound.clause, Drill)
    ]
    for one in attested:
        try:
            said = read_statement(one.statement)
        except ValueError:
            continue  # which no judge counts either
        if isinstance(said, Held) and any(bound.clause.why_void(bound.seam, asdict(one)) is None for bound in drilling):
            yield Drilled(one.subject.rpartition("/")[2], one.person, said.passed, one.event_time)


def _contract_reviews(
    seams: Seams, estate: Estate, system: str, attested: Sequence[Review], now: Micros
) -> Iterator[Reviewed]:
    for contract in estate.contracts_for(system, now):
        for bound in seams.covering(contract, system).values():
            if isinstance(bound.clause, ReviewClause) and bound.clause.of == "contract":
                for one in attested:
                    if bound.clause.why_void(bound.seam, asdict(one)) is None:
                        yield Reviewed(contract.id, one.person, one.event_time)


def _pulled(store: Store, now: Micros) -> tuple[bool | None, dict[str, _Log]]:
    """Whether the store's user may write, and the log of each system as they pull it."""
    found = rows(store, _Log, _PULLED, {"since": str(now - PULLED_DAYS * DAY)})
    return _may_write(store), {one.system: one for one in found}


def _may_write(store: Store) -> bool | None:
    """Whether the user has any right to write, by what the store says of their own rights; None where it does not."""
    try:
        grants = store.rows("SHOW GRANTS FINAL")
    except StoreError:
        return None
    said = [str(value) for grant in grants for value in grant.values()]
    rights = [right.strip() for text in said for right in text.removeprefix("GRANT ").partition(" ON ")[0].split(",")]
    return any(right.split("(")[0].split(" ")[0] in _WRITES for right in rights) if rights else None
