"""The timeline of a violation: its stations in the order of their times, and in a sentence what it waited for.

Pure. All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seamwatch.durations import SECOND, format_duration
from seamwatch.instants import format_instant
from seamwatch.paging import DELIVERED
from sinks.store.questions.lateness.finding import until_sent
from sinks.store.questions.lateness.record import History
from sinks.store.questions.lateness.telling import after_sent
from sinks.store.questions.lateness.waits import TOLD, Station, Wait

_MOST_CAUSES: Final = 3


@dataclass(frozen=True, slots=True)
class Timeline:
    """``stations`` in the order of their times; ``answer`` in a few sentences; ``notes`` say what cannot be known."""

    stations: tuple[Station, ...]
    answer: str
    notes: tuple[str, ...] = ()


def timeline_of(history: History) -> Timeline:
    """Why a violation was found, and somebody told of it, when it was."""
    stations = sorted((*until_sent(history), *after_sent(history)), key=lambda station: station.at)
    return Timeline(tuple(stations), _answer(history, stations), tuple(_notes(history)))


def timeline_record(timeline: Timeline) -> dict[str, Any]:
    """A timeline for JSON: its answer, its stations with what was waited for before each, and its notes."""
    stations = [
        {
            "at": format_instant(station.at),
            "what": station.what,
            "told": station.told,
            "waits": [
                {
                    "cause": wait.cause,
                    "since": format_instant(wait.since),
                    "until": format_instant(wait.until),
                    "seconds": wait.lasted / SECOND,
                    "told": wait.told,
                }
                for wait in station.waits
            ],
        }
        for station in timeline.stations
    ]
    return {"answer": timeline.answer, "stations": stations, "notes": list(timeline.notes)}


def _answer(history: History, stations: Sequence[Station]) -> str:
    first = history.states[0]
    delivered = min((each.ended_at for each in history.tries if each.result == DELIVERED), default=None)
    took = first.sent_at - first.opened_at
    said = f"Opened {format_duration(took)} after it became true" if took > TOLD else "Opened as soon as it was true"
    if delivered is not None:
        said += f", and delivered to a person {format_duration(max(0, delivered - first.sent_at))} after that."
    elif history.tries:
        said += "; delivered to nobody so far: every try failed."
    else:
        said += "; no try to tell anybody is on record (one that hangs comes there when it ends, within a minute)."
    longest = sorted(_counted(history, stations, delivered), key=lambda wait: -wait.lasted)[:_MOST_CAUSES]
    if not longest:
        return f"{said} Nothing held it up."
    most = "; ".join(f"{format_duration(wait.lasted)}, {wait.told}" for wait in longest)
    return f"{said} What took time: {most}."


def _counted(history: History, stations: Sequence[Station], delivered: int | None) -> Iterator[Wait]:
    """What it waited for from when it was true until somebody was told of it."""
    opened = history.states[0].opened_at
    for station in stations:
        for wait in station.waits:
            if wait.until > opened and (delivered is None or wait.until <= delivered):
                yield wait


def _notes(history: History) -> Iterator[str]:
    first = history.states[0]
    if history.contract is None:
        yield f"{first.contract}@{first.contract_version} is not on record as it was: what it agreed on is not known"
    if history.absent:
        number = len(history.absent)
        yield f"{number} of its events {'is' if number == 1 else 'are'} not on record: when they came is not known"
    if not history.events and not history.absent:
        yield "it names no single event: it was found in what many of them, or none, come to"
    if first.found is not None and first.found.clock is not None:
        yield "the stages ran on a scaled clock (SEAMWATCH_CLOCK), and all times are by that: a second may be an hour"
