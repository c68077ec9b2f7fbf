"""Which episodes are open, with every state that each has had, and who was told: what somebody on call begins with.

The broker's times are micros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.judging.model.facts import Violation
from seamwatch.judging.records import violation_of
from sinks.store.questions.rows import Micros, columns, rows, values_of

if TYPE_CHECKING:
    from sinks.store.client import Store

_OPEN: Final = "SELECT violation_id FROM violations WHERE state != 'resolved'"
_STATES: Final = f"""
SELECT {columns(Violation)}, toUnixTimestamp64Milli(broker_time) * 1000 AS at
FROM violation WHERE violation_id IN ({_OPEN}) ORDER BY broker_time, offset
"""
_TELLINGS: Final = f"""
SELECT violation_id, step, person, channel, result, sent_at
FROM page WHERE violation_id IN ({_OPEN}) AND news = 'trigger' ORDER BY sent_at, broker_time, offset
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One attempt to tell somebody of an episode."""

    violation_id: str
    step: int
    person: str
    channel: str
    result: str
    sent_at: Micros


def states(store: Store) -> list[tuple[Violation, Micros]]:
    """Each state of each open episode, and when the broker took it, in that order."""
    answer = [(row.pop("at"), row) for row in values_of(store, _STATES)]
    return [(violation_of(row), at) for at, row in answer]


def tellings(store: Store) -> list[Told]:
    """Each attempt to tell somebody of an open episode."""
    return rows(store, Told, _TELLINGS)
