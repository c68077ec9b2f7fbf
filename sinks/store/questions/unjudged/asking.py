"""All that could not be judged, system by system: under the clauses in force, and where there is no clause at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.calibration import Calibration
from seamwatch.clauses.distribution import Distribution
from seamwatch.clauses.signal import Signal
from seamwatch.documents.defaults import built_in, runbook_schedule, schedule
from seamwatch.engine.seams import BoundClause, Seams
from sinks.store.questions.names import seen_systems
from sinks.store.questions.rows import rows
from sinks.store.questions.sources import WITHIN, Period, values_of, view_of
from sinks.store.questions.unjudged.counting import counted, row_of
from sinks.store.questions.unjudged.lacking import too_few, without_outcome
from sinks.store.questions.unjudged.questions import Question, of_refreshes, questions
from sinks.store.questions.unjudged.row import JUDGED, Looked, Why

if TYPE_CHECKING:
    from seamwatch.clauses import Clause
    from seamwatch.documents import Estate
    from seamwatch.judging.model.measure import Source
    from sinks.store.client import Store

OF_SYSTEMS: Final[tuple[Source, ...]] = ("inference", "tool_call")
"""What a system does."""
SIGNALS: Final = ("latency", "accuracy", "drift", "abuse", "fallback")
_BUILT_IN: Final = frozenset({built_in, schedule, runbook_schedule})
_CAME: Final = "SELECT CAST(system, 'String') AS system, count() AS events FROM {view} WHERE {within} GROUP BY system"
_REFRESHED: Final = f"""
SELECT CAST(system, 'String') AS system, count() AS events, countIf(row_count IS NULL) AS row_count,
    countIf(empty(cohorts)) AS cohorts
FROM refreshes WHERE {WITHIN} GROUP BY system
"""
_UNUSED: Final = """
SELECT CAST(record_type, 'String') AS source, count() AS records, any(reason) AS reason FROM dead_letter
WHERE broker_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
    AND broker_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')
GROUP BY source ORDER BY source
"""


@dataclass(frozen=True, slots=True)
class _Came:
    system: str
    events: int


@dataclass(frozen=True, slots=True)
class _Refreshed:
    system: str
    events: int
    row_count: int
    cohorts: int


@dataclass(frozen=True, slots=True)
class _Unused:
    source: str
    records: int
    reason: str


def looked(
    store: Store, estate: Estate, period: Period, systems: Collection[str] | None = None, *, everything: bool = True
) -> list[Looked]:
    """What became of the events of some systems, or of all that are declared or were seen, by system and clause.

    ``everything``: whether who asks may be told what attributes and arguments hold; what is asked of those is else
    *hidden*. Raises StoreError and UnreachableError.
    """
    wanted = sorted({*estate.systems, *seen_systems(store)} if systems is None else set(systems))
    asked = [question for system in wanted for question in asked_of(estate, system, period)]
    shown = [question for question in asked if everything or not question.is_personal]
    hidden = [row_of(question, 0, 0, "hidden", "", 0) for question in asked if question not in shown]
    found = [
        *counted(store, shown, period),
        *too_few(store, shown, period),
        *without_outcome(store, shown, period),
        *hidden,
        *_of_refreshes(store, estate, wanted, period),
        *_unwatched(store, estate, wanted, period),
        *(_of_none("document", "not used", problem, 1) for problem in estate.problems),
    ]
    if systems is None:
        found += _unused(store, period) if everything else [_of_none("record", "hidden", "", 0)]
    return sorted(found, key=_order)


def not_judged(found: Iterable[Looked]) -> list[Looked]:
    """Those that tell of something that could not be judged."""
    return [one for one in found if one.why != JUDGED]


def asked_of(estate: Estate, system: str, period: Period) -> Iterator[Question]:
    """What is asked for a system: of each clause that is in force at the end of the time."""
    for bound, since in _bound(estate, system, period):
        yield from questions(bound, since)


def _bound(estate: Estate, system: str, period: Period) -> Iterator[tuple[BoundClause, int]]:
    """The clauses over a system, and since when each has been in force (micros)."""
    seams, at = Seams(estate), period.until - 1
    since = {term.contract.key: term.valid_from for term in estate.covering(system)}
    for contract in estate.contracts_for(system, at):
        for bound in seams.covering(contract, system).values():
            yield bound, since.get(contract.key, 0)


def watched_signals(clauses: Iterable[Clause]) -> frozenset[str]:
    """Which of the five signals clauses are on."""
    found = set()
    for clause in clauses:
        if isinstance(clause, Signal):
            found.add(clause.signal)
        found |= {"drift"} if isinstance(clause, Distribution) else set()
        found |= {"accuracy"} if isinstance(clause, Calibration) else set()
    return frozenset(found)


def _unwatched(store: Store, estate: Estate, systems: Sequence[str], period: Period) -> Iterator[Looked]:
    came = {source: _came(store, view_of(source), systems, period) for source in OF_SYSTEMS}
    built = {made().key for made in _BUILT_IN}
    for system in systems:
        contracts = estate.contracts_for(system, period.until - 1)
        decided, called = came["inference"].get(system, 0), came["tool_call"].get(system, 0)
        if all(contract.key in built for contract in contracts):
            source = "tool_call" if called and not decided else "inference"
            events = decided + called
            yield Looked(system, None, None, None, None, source, "no contract", "", events, events, events)
        if decided:
            watched = watched_signals(clause for contract in contracts for clause in contract.clauses)
            for signal in SIGNALS:
                if signal not in watched:
                    yield Looked(
                        system, None, None, None, None, "inference", "unwatched", signal, decided, decided, decided
                    )


def _came(store: Store, view: str, systems: Sequence[str], period: Period) -> Mapping[str, int]:
    sql = _CAME.format(view=view, within=WITHIN)
    return {one.system: one.events for one in rows(store, _Came, sql, values_of(systems, period))}


def _of_refreshes(store: Store, estate: Estate, systems: Sequence[str], period: Period) -> Iterator[Looked]:
    known = {one.system: one for one in rows(store, _Refreshed, _REFRESHED, values_of(systems, period))}
    for system, one in known.items():
        for bound, since in _bound(estate, system, period):
            field = of_refreshes(bound)
            if field is None:
                continue
            question = Question(bound, "inference", since, (), ())
            row = row_of(question, one.events, one.events, "missing", field, getattr(one, field))
            judged = row_of(question, one.events, one.events, JUDGED, "", one.events - row.count)
            yield from (_of_refresh(each) for each in (judged, row) if each is judged or each.count)


def _of_refresh(row: Looked) -> Looked:
    from dataclasses import replace

    return replace(row, source="dataset_refresh")


def _unused(store: Store, period: Period) -> list[Looked]:
    values = {"since": str(period.since), "until": str(period.until)}
    return [_of_none(one.source, "not used", one.reason, one.records) for one in rows(store, _Unused, _UNUSED, values)]


def _of_none(source: str, why: Why, what: str, count: int) -> Looked:
    """A row of no system that could be told."""
    return Looked("", None, None, None, None, source, why, what, count, 0, count)


def _order(row: Looked) -> tuple[str, ...]:
    return (row.system, row.contract or "", row.clause or "", row.source, row.why, row.what)
