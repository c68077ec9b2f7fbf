"""What the questions of readiness need, asked of the store and of the documents for all systems at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.drill import Drill
from seamwatch.clauses.drill.statement import Held, read_statement
from seamwatch.clauses.review import Review as ReviewClause
from seamwatch.engine.seams import Seams
from sinks.store.questions.due import due
from sinks.store.questions.inventory import inventory
from sinks.store.questions.readiness.deciding import decided
from sinks.store.questions.readiness.known import Drilled, Known, Reachable, Reviewed
from sinks.store.questions.readiness.pulling import pull
from sinks.store.questions.readiness.watching import watched
from sinks.store.questions.reviews import Review, all_reviews
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from sinks.store.client import Store
    from sinks.store.questions.readiness.row import Answer


_DRILLS: Final = f"SELECT {columns(Review)} FROM attestation WHERE kind = 'drill' ORDER BY event_time, event_id"
_REACHED: Final = """
SELECT
    person, count() AS asked, countIf(answered_at IS NOT NULL) AS answered,
    argMin(reference, latency_seconds) AS fastest,
    argMin(answered_at, latency_seconds) AS fastest_at,
    min(latency_seconds) AS fastest_seconds
FROM acknowledgement_latency WHERE of = 'violation' GROUP BY person
"""


def readiness(
    store: Store,
    estate: Estate,
    now: Micros,
    systems: Sequence[str] | None = None,
    hidden: AbstractSet[str] = frozenset(),
) -> list[Answer]:
    """The answers about every system that is declared or was seen in traffic, or about those that are named.

    ``hidden``: as in `watching.watched`. The log of decisions is pulled by the store's own user. Raises StoreError and
    UnreachableError.
    """
    running = {one.system: one for one in inventory(store)}
    names = sorted({*running, *estate.systems}) if systems is None else list(systems)
    attested, seams = all_reviews(store), Seams(estate, None)
    scheduled = due(estate, attested, {name: one.first_seen for name, one in running.items()}, now)
    reached = {one.person: one for one in rows(store, Reachable, _REACHED)}
    held = _by_system(rows(store, Review, _DRILLS))
    reviewed = _by_system(attested)
    watching = watched(store, estate, {name: running.get(name) for name in names}, now, hidden)
    pulled = pull(store, now)
    answers: list[Answer] = []
    for name in names:
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
            pulled=pulled.of(name),
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
