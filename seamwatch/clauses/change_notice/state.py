"""What the clause `change_notice` remembers of one system: clocks, answers, withdrawals, and how many of each.

Values only; what becomes of them is in the files beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.patterns.announcements import Announced, words
from seamwatch.judging.patterns.serving import Announcements
from seamwatch.judging.patterns.unannounced import Traffic

EARLY_ANSWERS: Final = 100
CHANGES_KEPT: Final = 1_000
CLOCKS_KEPT: Final = 500
WITHDRAWALS_KEPT: Final = 100
CLOCK_KEPT: Final = 90 * DAY


@dataclass(frozen=True, slots=True)
class Clock:
    """One person's clock on one change; ``reminded`` counts the reminders sent, ``by`` is who announced it.

    ``accepted`` is when the person first accepted it, ``digest`` that of the announcement (empty in what an earlier
    release has begun).
    """

    change_id: str
    name: str
    kind: str
    person: str
    started: int
    due: int
    evidence: Evidence
    reminded: int = 0
    stopped: bool = False
    missed: bool = False
    objected: int | None = None
    by: str = ""
    accepted: int | None = None
    digest: str = ""

    @property
    def slice(self) -> str:
        """Names the clock's episodes."""
        return f"{self.name}/{self.person}"

    @property
    def change(self) -> str:
        """The change, for a sentence."""
        return words(self.change_id, self.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement that came before the change it answers."""

    change_id: str
    person: str
    answer: str
    at: int
    event_id: str
    note: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who withdrew what was announced under a change_id until then."""

    change_id: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class ChangeNoticeState:
    """Clocks by start, values announced, answers without a change yet, unannounced traffic by value.

    ``short`` holds the changes announced at too short notice, and when that episode is over; ``refused`` the same of
    withdrawals that are void. ``announced`` is what an earlier release knew of values: of whatever kind, and when.
    ``serving`` are the declared values that have been in service.
    """

    clocks: tuple[Clock, ...] = ()
    changes: Announced = ()
    announced: tuple[tuple[str, int], ...] = ()
    early: tuple[Answer, ...] = ()
    traffic: Traffic = ()
    short: tuple[tuple[str, int], ...] = ()
    values: Announcements = ()
    serving: tuple[str, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
