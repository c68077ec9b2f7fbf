"""What is too little to be judged: windows with too few events, and decisions of which no outcome is on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from seamwatch.durations import format_duration
from sinks.store.questions.sources import WITHIN, Period, holds, values_of, view_of
from sinks.store.questions.unjudged.counting import row_of
from sinks.store.questions.unjudged.questions import Least, Question
from sinks.store.questions.unjudged.row import Looked

if TYPE_CHECKING:
    from sinks.store.client import Store

_WINDOWS: Final = """
SELECT of_system, count() AS held, sum(found) AS events, countIf(found < {{least:UInt64}}) AS few,
    sumIf(found, found < {{least:UInt64}}) AS events_of_few
FROM
(
    SELECT CAST(system, 'String') AS of_system, intDiv(toUnixTimestamp64Micro(event_time), {{width:Int64}}) AS part,
        {cohort} AS slice, count() AS found
    FROM {view} WHERE {within} AND {select} GROUP BY of_system, part, slice
)
GROUP BY of_system
"""
_WAITING: Final = """
SELECT CAST(system, 'String') AS of_system, count() AS decided, countIf(event_id NOT IN (
    SELECT inference_id FROM outcome WHERE system IN {{systems:Array(String)}}
)) AS waiting
FROM decisions WHERE {within} AND {select} GROUP BY of_system
"""
_EVER: Final = 2**62
"""A window that holds all time, for what is judged over all events together."""


def too_few(store: Store, asked: Sequence[Question], period: Period) -> Iterator[Looked]:
    """Of each clause that asks for a least number of events in a window: those of windows that hold fewer."""
    alike: dict[tuple[Least, str, str, int], list[Question]] = {}
    for question in asked:
        if (least := question.least) is not None:
            select = "true" if least.select is None else holds(least.select, question.source)
            since = max(period.since, question.since) if least.window is not None else _counted_from(question)
            alike.setdefault((least, question.source, select, since), []).append(question)
    for (least, source, select, since), questions in alike.items():
        cohort = "ifNull(cohort, '')" if least.by_cohort else "''"
        view = view_of(questions[0].source, attributes=questions[0].is_personal)
        sql = _WINDOWS.format(cohort=cohort, view=view, within=WITHIN, select=select)
        values = values_of(_systems(questions), _whole(least, Period(since, period.until)))
        values |= {"least": least.count, "width": str(least.window or _EVER)}
        found = {row["of_system"]: row for row in store.rows(sql, values)}
        for question in questions:
            row = found.get(question.bound.seam.system)
            if row is not None and int(row["few"]):
                events = int(row["events"])
                what = _told(least, source, int(row["few"]), int(row["held"]))
                yield row_of(question, events, events, "too few", what, int(row["events_of_few"]))


def _counted_from(question: Question) -> int:
    """Since when all events count together, whatever time is asked about."""
    return max(0, question.bound.clause.counts_from(question.bound.seam) or 0)


def _whole(least: Least, period: Period) -> Period:
    """The time of which whole windows are: those at its ends would hold too few for being cut."""
    if (width := least.window) is None:
        return period
    return Period(-(-period.since // width) * width, period.until // width * width)


def _told(least: Least, source: str, few: int, held: int) -> str:
    events = {"inference": "decisions", "tool_call": "calls", "outcome": "outcomes"}[source]
    each = " of a cohort" if least.by_cohort else ""
    if least.window is None:
        return f"fewer than {least.count:,} {events}{each}" + (f" in {few:,} of {held:,} cohorts" if held > 1 else "")
    windows = f"{few:,} of {held:,} windows ({format_duration(least.window)}) that hold any"
    return f"{windows} hold fewer than {least.count:,} {events}{each}"


def without_outcome(store: Store, asked: Sequence[Question], period: Period) -> Iterator[Looked]:
    """Of each clause over outcomes: the decisions of which none is on record, so far."""
    alike: dict[tuple[str, int], list[Question]] = {}
    for question in asked:
        if question.source == "outcome":
            select = "true" if question.where is None else holds(question.where, "inference")
            alike.setdefault((select, max(period.since, question.since)), []).append(question)
    for (select, since), questions in alike.items():
        values = values_of(_systems(questions), Period(since, period.until))
        rows = store.rows(_WAITING.format(within=WITHIN, select=select), values)
        found = {row["of_system"]: row for row in rows}
        for question in questions:
            row = found.get(question.bound.seam.system)
            if row is not None and int(row["waiting"]):
                decided = int(row["decided"])
                yield row_of(question, decided, decided, "no outcome", "", int(row["waiting"]))


def _systems(questions: Sequence[Question]) -> list[str]:
    return sorted({question.bound.seam.system for question in questions})
