"""Checking: what of a drill's steps Seamwatch can tell itself, from the documents, the guard and the record.

Each check answers whether it holds, and in which words. Changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from console.asking import auditor
from seamwatch.clauses.drill.statement import Paged, Taken
from seamwatch.documents import Estate
from seamwatch.documents.models import System
from seamwatch.durations import SECOND, format_duration
from seamwatch.errors import SeamwatchError
from seamwatch.guard.standing import Standing
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.paging import DELIVERED

if TYPE_CHECKING:
    from seamwatch.guard.suspensions import Suspensions

_DRY: Final = "a drill"
_SAMPLED: Final = 200
"""Of so many of the latest decisions one is sampled."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether it holds, in which words, and after how long (seconds), where that is not how long the check took."""

    holds: bool
    said: str
    took: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is drilled: the system, its document, the contract as it binds it, and all documents at a time (micros)."""

    seam: Seam
    estate: Estate
    now: int

    @property
    def system(self) -> System:
        """Its document."""
        return self.estate.systems[self.seam.system]


def paged(told: tuple[Paged, ...]) -> Checked:
    """Whether anybody was told, and after how long."""
    reached = [one for one in told if one.result == DELIVERED]
    if not reached:
        why = "; ".join(dict.fromkeys(f"{one.person} by {one.channel}: {one.result}" for one in told))
        return Checked(False, f"nobody was told{f': {why}' if why else ', and nothing says why: does the pager run?'}")
    failed = len(told) - len(reached)
    first = min(reached, key=lambda one: one.after_seconds)
    more = f"; {failed} of {len(told)} attempts failed" if failed else ""
    return Checked(True, f"{first.person} was told first, by {first.channel}{more}", first.after_seconds)


def taken(by: Taken | None, told: tuple[Paged, ...]) -> Checked:
    """Whether somebody took it on, and after how long."""
    if by is None:
        asked = ", ".join(dict.fromkeys(one.person for one in told)) or "nobody"
        return Checked(False, f"nobody took it on; asked were: {asked}")
    own = "" if by.told_seconds is None else f", {format_duration(round(by.told_seconds * SECOND))} after being told"
    return Checked(True, f"{by.person} took it on by {by.by}{own}", by.after_seconds)


def runbook(subject: Subject) -> Checked:
    """Whether the System document names a runbook, and who looks after it."""
    system = subject.system
    if system.runbook is None:
        return Checked(False, f"the document of {system.id} names no runbook")
    review = system.runbook_review
    if review is None:
        kept = "no scheduled review keeps it up to date"
    else:
        last = "" if review.last is None else f", last at {moment_text(review.last)}"
        kept = f"reviewed every {format_duration(review.every)} by {', '.join(review.by)}{last}"
    return Checked(True, f"{system.runbook}; {kept}")


def offline(subject: Subject) -> Checked:
    """Whether it is known who may take it offline, they can be reached, and a guard would ask."""
    may = authority(subject)
    known = [subject.estate.persons[person] for person in may if person in subject.estate.persons]
    if not known:
        return Checked(False, "nobody is named who may take it offline")
    who = " or ".join(person.id for person in known)
    if silent := [person.id for person in known if not person.channels]:
        return Checked(False, f"{who} may take it offline, but {', '.join(silent)} cannot be reached by any channel")
    asks = _guard(subject, known[0].id)
    return Checked(asks.holds, f"{who} may take it offline; {asks.said}")


def authority(subject: Subject) -> tuple[str, ...]:
    """Who may take it offline: who may suspend it, the owner where its document names nobody else."""
    return subject.seam.authority.suspend


def _guard(subject: Subject, person: str) -> Checked:
    """A guard made of what is published, asked in a dry run: it must refuse what it is told that ``person`` suspends.

    It reports nothing, and nobody else hears of it.
    """
    from seamwatch.guard import Guard

    version = subject.system.versions[-1].version if subject.system.versions else "drill"
    clock, dry = _Still(subject.now), _DryRun(subject.system.id, person, subject.now)
    guard = Guard(
        subject.estate, system=subject.system.id, version=version, clock=clock, suspensions=cast("Suspensions", dry)
    )
    if not guard.covered:
        return Checked(False, "no contract covers it, so that a guard refuses whatever it does")
    refused = guard.conversation().check("drill")
    stopped = not refused.permitted and any(_DRY in str(fault) for fault in refused.faults)
    said = f"in a dry run a guard of version {version} {'refuses' if stopped else 'does not refuse'} what they suspend"
    return Checked(stopped, said)


@dataclass(frozen=True, slots=True)
class _DryRun:
    """What a guard is told is suspended: the system, by that person, in this process alone."""

    system: str
    person: str
    since: int

    def start(self) -> None:
        """There is nothing to follow."""

    def why_not(self, system: str, version: object, tool: str | None, now: int) -> str | None:
        """Why an act may not happen, as the real ones say it."""
        standing = Standing(self.system, None, None, self.person, None, _DRY, self.since, None)
        return standing.sentence if system == self.system and standing.stops(version, tool, now) else None


@dataclass(frozen=True, slots=True)
class _Still:
    """A clock that stands."""

    time: int

    def now(self) -> int:
        return self.time

    def at(self, wall: int) -> int:
        return wall


def reconstructed(system: str, drill: str, data: Path | None, measure: Callable[[], float]) -> Checked:
    """Whether one of the latest decisions can be told: why it was allowed, and what led to it; and how long each took.

    Which one, the drill's id says, so that nobody chooses it. ``measure`` tells seconds of a steady clock.
    """
    from sinks.store.questions.approved import Publications
    from sinks.store.questions.decisions import Wanted, decisions
    from sinks.store.questions.trail import trail
    from sinks.store.questions.why import decision

    try:
        with auditor(data) as store:
            latest = decisions(store, Wanted(system=system), _SAMPLED)
            if not latest:
                return Checked(False, f"no decision or call of {system} is on record")
            sampled = latest[int(hashlib.sha256(drill.encode()).hexdigest(), 16) % len(latest)]
            began = measure()
            found = decision(store, sampled.event_id)
            allowed = None if found is None else Publications(store, [system]).allowed(found)
            asked = measure()
            happened = [] if sampled.trace_id is None else trail(store, sampled.trace_id)
            followed = measure()
    except SeamwatchError as error:
        return Checked(False, f"the record did not answer: {error}")
    times = f"why took {asked - began:.1f} s, trail {followed - asked:.1f} s"
    what = f"{sampled.type} {sampled.event_id} of {moment_text(sampled.event_time)}"
    if found is None or allowed is None:
        return Checked(False, f"{what} cannot be told")
    trace = f"{len(happened)} events in its trace" if happened else "no trace was given with it"
    if allowed.approval is None:
        return Checked(False, f"{what}: no approval allowed it ({allowed.why_not}); {trace}; {times}")
    return Checked(True, f"{what}: allowed by {allowed.approval.approval_id}; {trace}; {times}")
