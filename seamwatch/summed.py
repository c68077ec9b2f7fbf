"""Summed: what a scheduled summary says beside its own sentence: what broke in its period, and what is owed by whom.

Values, and the words for them. What could not be read is said as well, and where it can be seen. Asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from seamwatch.durations import format_duration
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.sections import Item, Mark, Section

WHOLE: Final = "whole"
PART: Final = "part"
UNREAD: Final = "unread"
NO_STORE: Final = "no_store"
OUTCOMES: Final = (WHOLE, PART, UNREAD, NO_STORE)
"""How much of it could be read: all, a part (or of a store that lags), nothing, or there is no store to ask."""

_CLAUSES: Final = 5
_ELSEWHERE: Final = "To see it: seamwatch violations, seamwatch followups, seamwatch acknowledgements --waiting."
_LINKED_BY_EPISODE: Final = frozenset({"episode", "report", "review", "action"})


@dataclass(frozen=True, slots=True)
class Owes:
    """What one person owes about a system; times are micros.

    ``what``: a violation to take on, an answer to a change, the receipt of a summary, the report of an incident, a
    review or an action after what was broken, a scheduled review, or something to attest. ``reference`` is its id,
    of what has one. ``due_at`` is None where no time is agreed.
    """

    what: Literal["episode", "answer", "receipt", "report", "review", "action", "scheduled", "attestation"]
    person: str
    text: str
    since: int | None = None
    due_at: int | None = None
    reference: str = ""

    def is_overdue(self, now: int) -> bool:
        """Whether its time is up."""
        return self.due_at is not None and self.due_at <= now

    @property
    def path(self) -> str:
        """The page of the board on which it is done."""
        if self.what in _LINKED_BY_EPISODE:
            return f"/episodes/{quote(self.reference.partition('/')[0], safe='')}"
        if self.what == "receipt":
            return f"/summaries/{quote(self.reference, safe='')}"
        return "/changes" if self.what == "answer" else "/compliance"


def by_urgency(owed: list[Owes], now: int) -> list[Owes]:
    """What is overdue before what is due, the earliest first, and last what has no time."""
    return sorted(
        owed, key=lambda one: (one.due_at is None, one.due_at or one.since or now, one.person, one.what, one.reference)
    )


@dataclass(frozen=True, slots=True)
class Broken:
    """The episodes of a period: how many there were by clause, and those that matter most."""

    number: int
    breaches: int
    going_on: int
    by_clause: tuple[tuple[str, int], ...]
    worst: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """What is said of the period from ``since`` to ``until``, as it was read at ``as_of``; times are micros.

    ``broken`` and ``owed`` are None where they could not be read, ``why`` names what that is and why, in sentences.
    ``owed_number`` and ``overdue`` are how many there are, of which ``owed`` are the first.
    """

    outcome: Literal["whole", "part", "unread", "no_store"]
    since: int | None = None
    until: int | None = None
    as_of: int | None = None
    broken: Broken | None = None
    owed: tuple[Owes, ...] | None = None
    owed_number: int = 0
    overdue: int = 0
    why: tuple[str, ...] = ()

    def fields(self, board: str | None) -> dict[str, Any]:
        """All of it by name for machines, times as RFC 3339; what could not be read is null."""
        broken, now = self.broken, self.as_of or 0
        return {
            "since": _time(self.since),
            "until": _time(self.until),
            "as_of": _time(self.as_of),
            "outcome": self.outcome,
            "episodes": None if broken is None else broken.number,
            "breaches": None if broken is None else broken.breaches,
            "going_on": None if broken is None else broken.going_on,
            "by_clause": None if broken is None else dict(broken.by_clause),
            "broke": None if broken is None else [_broke_fields(one, board) for one in broken.worst],
            "owed": None if self.owed is None else self.owed_number,
            "overdue": None if self.owed is None else self.overdue,
            "owes": None if self.owed is None else [_owes_fields(one, now, board) for one in self.owed],
            "unread": list(self.why),
        }

    def sections(self, board: str | None) -> tuple[Section, ...]:
        """The same for people; links where there is a ``board``."""
        found = []
        if self.broken is not None:
            found.append(self._broke_section(self.broken, board))
        if self.owed is not None:
            found.append(self._owed_section(self.owed, board))
        if self.why:
            elsewhere = () if board is not None else (_ELSEWHERE,)
            found.append(Section("What could not be read", (*self.why, *elsewhere)))
        return tuple(found)

    def _broke_section(self, broken: Broken, board: str | None) -> Section:
        title = f"What broke, {moment_text(self.since or 0)} to {moment_text(self.until or 0)}"
        if not broken.number:
            return Section(title, ("Nothing that is agreed was broken, as far as it could be judged.",))
        clauses = ", ".join(f"{clause} {count}" for clause, count in broken.by_clause[:_CLAUSES])
        more = len(broken.by_clause) - _CLAUSES
        said = (
            f"{_counted(broken.number, 'episode')}, {_counted(broken.breaches, 'breach', 'breaches')}, "
            f"{broken.going_on} still going on: {clauses}{f' and {more} more clauses' if more > 0 else ''}."
        )
        items = tuple(_broke_item(one, board) for one in broken.worst)
        return Section(title, (said,), items, broken.number)

    def _owed_section(self, owed: tuple[Owes, ...], board: str | None) -> Section:
        now = self.as_of or 0
        title = f"What is owed, as of {moment_text(now)}"
        if not self.owed_number:
            return Section(title, ("Nothing is owed about it, as far as could be read." if self.why else "Nothing.",))
        said = f"{self.owed_number} in all, {self.overdue} overdue."
        return Section(title, (said,), tuple(_owes_item(one, now, board) for one in owed), self.owed_number)


def unread(why: str, outcome: Literal["unread", "no_store"] = UNREAD) -> Summed:
    """What is said where nothing could be read, and why, as a part of a sentence."""
    return Summed(outcome, why=(f"What broke and what is owed could not be read: {why}.",))


def standing_of(violation: Violation) -> str:
    """Whether an episode goes on, and who took it on or must act."""
    if violation.resolved_at is not None:
        over = f"over since {moment_text(violation.resolved_at)}"
        return f"{over}, {violation.acknowledged_by} had taken it on" if violation.acknowledged_by else over
    if violation.acknowledged_by:
        return f"goes on, {violation.acknowledged_by} has taken it on"
    return f"goes on, {violation.person or 'nobody named'} must act"


def _broke_item(one: Violation, board: str | None) -> Item:
    since = one.opened_at if one.since is None else one.since
    about = f" ({one.slice})" if one.slice and one.slice not in one.summary else ""
    mark: Mark = "warning" if one.severity == "warning" else "breach"
    link = None if board is None else f"{board}/episodes/{quote(one.violation_id, safe='')}"
    return Item(f"{one.summary}{about}", mark, f"since {moment_text(since)}; {standing_of(one)}", link)


def _owes_item(one: Owes, now: int, board: str | None) -> Item:
    overdue = one.due_at is not None and one.due_at <= now
    if one.due_at is None:
        when = "" if one.since is None else f"since {moment_text(one.since)}"
    elif overdue:
        when = f"was due {moment_text(one.due_at)}, {format_duration(now - one.due_at)} ago"
    else:
        when = f"due {moment_text(one.due_at)}, in {format_duration(one.due_at - now)}"
    link = None if board is None else f"{board}{one.path}"
    return Item(f"{one.person}: {one.text}", "overdue" if overdue else "", when, link)


def _broke_fields(one: Violation, board: str | None) -> dict[str, Any]:
    return {
        "violation_id": one.violation_id,
        "contract": one.contract,
        "clause": one.clause,
        "kind": one.kind,
        "severity": one.severity,
        "state": one.state,
        "slice": one.slice,
        "summary": one.summary,
        "since": _time(one.opened_at if one.since is None else one.since),
        "resolved_at": _time(one.resolved_at),
        "person": one.person,
        "acknowledged_by": one.acknowledged_by,
        "board": None if board is None else f"{board}/episodes/{quote(one.violation_id, safe='')}",
    }


def _owes_fields(one: Owes, now: int, board: str | None) -> dict[str, Any]:
    return {
        "what": one.what,
        "person": one.person,
        "text": one.text,
        "reference": one.reference or None,
        "since": _time(one.since),
        "due_at": _time(one.due_at),
        "overdue": one.is_overdue(now),
        "board": None if board is None else f"{board}{one.path}",
    }


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_instant(moment)
