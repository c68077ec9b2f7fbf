"""Counting, in the store, what the questions of clauses ask: one pass over the events of a type for many clauses.

Systems under the same clauses are asked about in one query. Repeated events count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from seamwatch.expressions.sql import clickhouse, clickhouse_odd
from sinks.store.questions.sources import LOST, SOURCES, TIME, WITHIN, Period, holds, values_of, view_of
from sinks.store.questions.unjudged.questions import Question, fields_of
from sinks.store.questions.unjudged.row import Looked, Why

if TYPE_CHECKING:
    from seamwatch.judging.model.measure import Source, Watch
    from sinks.store.client import Store

MOST_COLUMNS: Final = 60
"""So many conditions are asked about in one query."""
_COUNTED: Final = """
SELECT CAST(system, 'String') AS of_system{columns}
FROM {view} WHERE {within} GROUP BY of_system
"""


@dataclass(frozen=True, slots=True)
class _Column:
    """One count, as SQL; ``since``: of events from then on, where the clause is younger than the time asked about."""

    condition: str
    since: int | None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Of which events a clause cannot tell, as SQL, and of which of them because of what is given."""

    doubtful: str
    odd: str


def counted(store: Store, asked: Sequence[Question], period: Period) -> Iterator[Looked]:
    """What became of the events that each question looks at; rows in no order."""
    for source in SOURCES:
        yield from _of_source(store, source, [each for each in asked if each.source == source], period)


def _of_source(store: Store, source: Source, asked: Sequence[Question], period: Period) -> Iterator[Looked]:
    alike: dict[tuple[_Column, ...], dict[str, list[Question]]] = {}
    for system, questions in _by_system(asked).items():
        columns = tuple(column for question in questions for column in _columns(question, period))
        alike.setdefault(columns, {})[system] = questions
    for columns, systems in alike.items():
        personal = any(question.is_personal for questions in systems.values() for question in questions)
        view = view_of(source, attributes=personal)
        answers = _answers(store, view, sorted(systems), columns, period)
        for system, questions in systems.items():
            counts = answers.get(system) or [0] * len(columns)
            for question in questions:
                width = len(_columns(question, period))
                yield from _rows(question, counts[:width])
                counts = counts[width:]


def _by_system(asked: Iterable[Question]) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    for question in asked:
        found.setdefault(question.bound.seam.system, []).append(question)
    return found


def _columns(question: Question, period: Period) -> list[_Column]:
    """How many came, are looked at and can be judged; of each doubt, how many are missing something, and are odd."""
    doubts = _doubts(question)
    looks = _any(holds(expression, question.source) for expression in question.looks_at) or "true"
    judged = f"{looks} AND NOT ({_any(doubt.doubtful for doubt in doubts) or 'false'})"
    conditions = ["true", looks, judged]
    for doubt in doubts:
        conditions += [f"{doubt.doubtful} AND NOT {doubt.odd}", f"{doubt.doubtful} AND {doubt.odd}"]
    if question.source == "outcome":
        conditions.append(LOST)
    since = question.since if question.since > period.since else None
    return [_Column(condition, since) for condition in conditions]


def _doubts(question: Question) -> list[_Doubt]:
    return [_doubt(watch, question.source) for watch in question.doubts]


def _doubt(watch: Watch, source: Source) -> _Doubt:
    of = "true" if watch.select is None else holds(watch.select, source)
    if watch.holds is not None:
        odd = "true" if watch.holds == "odd" else "false"
        return _Doubt(f"({of} AND {holds(watch.condition, source)})", odd)
    null = f"({of} AND isNull({clickhouse(watch.condition, source)}))"
    return _Doubt(null, f"ifNull({clickhouse_odd(watch.condition, source)}, false)")


def _any(conditions: Iterable[str]) -> str:
    found = list(dict.fromkeys(conditions))
    return f"({' OR '.join(found)})" if found else ""


def _answers(
    store: Store, view: str, systems: Sequence[str], columns: Sequence[_Column], period: Period
) -> dict[str, list[int]]:
    """Each count, by system; nothing of a system of which nothing came."""
    found: dict[str, list[int]] = {}
    for first in range(0, len(columns), MOST_COLUMNS):
        part = columns[first : first + MOST_COLUMNS]
        values, counts = values_of(systems, period), ""
        for place, column in enumerate(part):
            young = ""
            if column.since is not None:
                young = f" AND event_time >= {TIME % f'from_{place}'}"
                values[f"from_{place}"] = str(column.since)
            counts += f", countIf({column.condition}{young}) AS c{place}"
        for row in store.rows(_COUNTED.format(columns=counts, view=view, within=WITHIN), values):
            found.setdefault(row["of_system"], []).extend(int(row[f"c{place}"]) for place in range(len(part)))
    return found


def _rows(question: Question, counts: Sequence[int]) -> Iterator[Looked]:
    came, looked_at, judged, *rest = counts
    row = partial(row_of, question, came, looked_at)
    if not came:
        yield row("no event", "", 0)
        return
    yield row("judged", "", judged)
    if not looked_at:
        yield row("none selected", " or ".join(each.shown for each in question.looks_at), came)
    for watch, missing, odd in zip(question.doubts, rest[::2], rest[1::2], strict=False):
        if missing:
            yield row("missing", fields_of(watch), missing)
        if odd:
            yield row("unreadable", fields_of(watch), odd)
    if question.source == "outcome" and rest[-1]:
        yield row("no decision", "", rest[-1])


def row_of(question: Question, came: int, looked_at: int, why: Why, what: str, count: int) -> Looked:
    """A row about what a question asks."""
    seam, clause = question.bound.seam, question.bound.clause
    of = (seam.system, seam.contract, seam.contract_version, clause.id, clause.kind_name, question.source)
    return Looked(*of, why, what, came, looked_at, count)
