"""An episode: its times, its events, what it touched, what changed before, what was agreed, and how far it is proven.

What the topics say is shown while the store is away, or does not have it yet; the rest is asked for section by section.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from board import declaring, reviewing
from board.framing import around
from board.live.open_episodes import Clock, Followed, clock_of
from board.measuring import plot_of
from board.page import Page, Signed
from board.plots import drawn
from board.sections import Section, Sections
from seamwatch.clauses.clause import Clause
from seamwatch.documents import Contract
from seamwatch.durations import HOUR
from seamwatch.errors import UnreachableError
from seamwatch.judging.model.facts import Violation
from seamwatch.record_types import INPUT_TYPES
from sinks.ledger.verified import last
from sinks.store.questions import changed, committed, contents, followups, signatures, touched
from sinks.store.questions.episodes import Before, Wanted, episode, episodes, number
from sinks.store.questions.lateness import Station, history_of, timeline_of
from sinks.store.questions.names import UnknownNameError, demand_known

router = APIRouter(include_in_schema=False)

_EARLIER: Final = 10
_A_PAGE: Final = 50
_DIGITS: Final = 18
_CHANGES_BEFORE: Final = 48 * HOUR
_OF_CALLS: Final = frozenset(
    {"scope", "prohibition", "precondition", "escalation", "rate", "human_review", "assertion"}
)
"""Kinds whose slice is a conversation, where it is neither the system nor a cohort."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An episode: by the topics, or by the store, which has no clock for it."""

    violation: Violation
    followed: Followed | None
    clock: Clock
    contract: Contract | None

    @property
    def clause(self) -> Clause | None:
        """The clause that found it; None where its text is not published any more."""
        clauses = () if self.contract is None else self.contract.clauses
        return next((clause for clause in clauses if clause.id == self.violation.clause), None)

    @property
    def began(self) -> int:
        """When its cause began, as far as that is known."""
        return self.violation.opened_at if self.violation.since is None else self.violation.since

    def extent(self, page: Page) -> touched.Extent:
        """What it may have touched: what its system, and what is fed by it, did from its beginning to its end."""
        violation, systems = self.violation, page.context.estate.systems
        fed = [each.id for each in systems.values() if violation.system in each.depends_on]
        cohort = trace = None
        if violation.slice and violation.slice != violation.system:
            if self.clause is not None and self.clause.cohorts() is not None:
                cohort = violation.slice
            elif violation.kind in _OF_CALLS:
                trace = violation.slice
        until = page.now if violation.resolved_at is None else violation.resolved_at
        return touched.extent_of([violation.system, *fed], self.began, until, cohort=cohort, trace=trace)


@router.get("/episodes", response_class=HTMLResponse)
def listed(page: Signed, system: str, before: str | None = None, after: str | None = None) -> HTMLResponse:
    """All episodes of a system, 50 a page: those opened before a time (micros), or then and after an id."""
    start = None
    if before is not None:
        if not before.lstrip("-").isdigit() or len(before) > _DIGITS:
            raise HTTPException(422, "before: it is a time in microseconds")
        start = Before(int(before), after)
    with page.store() as store:
        found = episodes(store, Wanted(system, before=start), _A_PAGE + 1)
        if not found:
            try:
                demand_known(store, system=system)
            except UnknownNameError as error:
                raise HTTPException(404, str(error)) from None
        in_all = number(store, Wanted(system))
    shown = found[:_A_PAGE]
    older = shown[-1] if len(found) > _A_PAGE else None
    return page.render("episodes.html", {"system": system, "episodes": shown, "older": older, "in_all": in_all})


@router.get("/episodes/{violation_id:path}", response_class=HTMLResponse)
def episode_page(page: Signed, violation_id: str, whole: bool = False) -> HTMLResponse:
    """The whole page; its sections load by themselves, or come at once with ``whole``."""
    subject = subject_of(page, violation_id)
    sections = _SECTIONS.laid(page, violation_id, subject, whole=whole)
    return page.render("episode.html", _head(page, subject) | {"sections": sections, "whole": whole})


@router.get("/parts/episodes/state", response_class=HTMLResponse)
def state(page: Signed, id: str) -> HTMLResponse:  # noqa: A002 - the name in the address
    """How it stands now."""
    return page.render("parts/episodes/state.html", _head(page, subject_of(page, id)))


@router.get("/parts/episodes/{section}", response_class=HTMLResponse)
def part(page: Signed, section: str, id: str) -> HTMLResponse:  # noqa: A002 - the name in the address
    """One section."""
    return _SECTIONS.part(page, section, lambda: subject_of(page, id))


def subject_of(page: Page, violation_id: str) -> Subject:
    """The episode of an id. Raises HTTPException for one that nobody knows, UnreachableError where none can tell."""
    followed = page.episode(violation_id)
    if followed is None:
        with page.store() as store:
            violation = episode(store, violation_id)
        if violation is None:
            said = f"no episode {violation_id} is known; On call has those that are open, a system's page has its own"
            raise HTTPException(404, said)
        return Subject(violation, None, Clock(None, None), _contract(page, violation))
    violation = followed.violation
    return Subject(violation, followed, clock_of(followed, page.context.estate), _contract(page, violation))


def _contract(page: Page, violation: Violation) -> Contract | None:
    return next(
        (
            each
            for each in page.context.estate.versions_of(violation.contract)
            if each.version == violation.contract_version and each.digest == violation.contract_digest
        ),
        None,
    )


def _head(page: Page, subject: Subject) -> dict[str, Any]:
    system = page.context.estate.systems.get(subject.violation.system)
    return {
        "v": subject.violation,
        "item": subject,
        "runbook": None if system is None else system.runbook,
        "away_since": page.context.feed.away_since,
        "why_away": page.context.feed.why_away,
    }


def _timeline(page: Page, subject: Subject) -> Mapping[str, Any]:
    """By the record, which knows what was waited for; by the topics where that is away or behind."""
    behind = "The record does not have it yet: this is what the topics say. Load the page again in a moment for why."
    try:
        # Of what the board's role may not read (headers, pages) it is told here what was waited for, and no content.
        with page.context.stores.open(everything=True) as store:
            history = history_of(store, subject.violation.violation_id)
    except UnreachableError as error:
        if subject.followed is None:
            raise
        history, behind = None, f"The record is out of reach ({error}): this is what the topics say."
    if history is not None:
        timeline = timeline_of(history)
        return {"stations": timeline.stations, "answer": timeline.answer, "notes": timeline.notes, "behind": None}
    return {"stations": _by_topics(subject), "answer": None, "notes": (), "behind": behind}


def _by_topics(subject: Subject) -> list[Station]:
    violation = subject.violation
    found = [
        Station(violation.opened_at, "opened", f"the {violation.severity} became true (opened_at)"),
        Station(violation.detected_at, "found", "judge had found it (detected_at)"),
    ]
    for told in () if subject.followed is None else subject.followed.tellings:
        delivered = told.result == "delivered"
        words = "delivered to" if delivered else "NOT delivered to"
        why = "" if delivered else f": {told.result}"
        what = "delivered" if delivered else "failed"
        found.append(Station(told.sent_at, what, f"{words} {told.person} by {told.channel}{why}"))
    if violation.acknowledged_at is not None:
        by = violation.acknowledged_by
        found.append(Station(violation.acknowledged_at, "acknowledged", f"{by} acknowledged it"))
    if violation.resolved_at is not None:
        found.append(Station(violation.resolved_at, "resolved", "it was over (resolved_at)"))
    return sorted(found, key=lambda station: station.at)


def _events(page: Page, subject: Subject) -> Mapping[str, Any]:
    evidence = subject.violation.evidence
    by_type: dict[str, list[str]] = {}
    for each in evidence:
        found_in = (each.topic or "").rpartition(".")[2]
        for record_type in (found_in,) if found_in in INPUT_TYPES else INPUT_TYPES:
            by_type.setdefault(record_type, []).append(each.event_id)
    with page.store() as store:
        found = [
            event
            for record_type, ids in by_type.items()
            for event in contents.recorded(store, record_type, ids, everything=page.everything)
        ]
    there = {event.event_id for event in found}
    return {
        "events": sorted(found, key=lambda event: (event.event_time, event.event_id)),
        "absent": [each.event_id for each in evidence if each.event_id not in there],
        "named": len(evidence),
        "everything": page.everything,
    }


def _measured(page: Page, subject: Subject) -> Mapping[str, Any]:
    frame = around(subject.violation, subject.clause, page.now)
    with page.store() as store:
        return {"plot": drawn(plot_of(store, frame, subject.clause, subject.violation.kind))}


def _touched(page: Page, subject: Subject) -> Mapping[str, Any]:
    extent = subject.extent(page)
    with page.store() as store:
        found = touched.touched(store, extent)
    return {"found": found, "extent": extent, "over": subject.violation.resolved_at is not None, "v": subject.violation}


def _changes(page: Page, subject: Subject) -> Mapping[str, Any]:
    violation = subject.violation
    since = subject.began - _CHANGES_BEFORE
    with page.store() as store:
        announced = changed.changed(store, violation.system, since, violation.opened_at)
        began = changed.began(changed.served(store, violation.system), since, violation.opened_at)
    return {"announced": announced, "began": began, "since": since, "until": violation.opened_at, "v": violation}


def _agreed(page: Page, subject: Subject) -> Mapping[str, Any]:
    violation, contract = subject.violation, subject.contract
    name = f"{violation.contract}@{violation.contract_version}"
    signed = None
    if contract is not None and contract.id in {each.id for each in page.context.estate.contracts}:
        with page.store() as store:
            found = signatures.signatures(store, [name])
        signed = [one for one in found if one.version == violation.contract_version]
    return {"v": violation, "terms": terms_of(contract, violation.clause), "signed": signed, "contract": contract}


def terms_of(contract: Contract | None, clause: str) -> Mapping[str, Any] | None:
    """What a clause says, as its author wrote it; None where its text is not published."""
    if contract is None:
        return None
    written = contract.written.get("clauses") or [each.model_dump(mode="json") for each in contract.clauses]
    return next((dict(each) for each in written if each.get("id") == clause), None)


def _followup(page: Page, subject: Subject) -> Mapping[str, Any]:
    violation = subject.violation
    asked = reviewing.asking(page, violation)
    with page.store() as store:
        owed = followups.followups(store, violation=violation.violation_id, done=True)
        given = followups.given(store, violation.violation_id)
    mine = asked is not None and not given and page.viewer.person in asked.clause.people()
    said = [(one, followups.standing(one, page.now)) for one in owed]
    rows = range(reviewing.ACTION_ROWS)
    return {"v": violation, "asked": asked, "owed": said, "given": given, "mine": mine, "rows": rows}


def _incident(page: Page, subject: Subject) -> Mapping[str, Any]:
    return declaring.told(page, subject.violation)


def _earlier(page: Page, subject: Subject) -> Mapping[str, Any]:
    violation = subject.violation
    wanted = Wanted(violation.system, contract=violation.contract, clause=violation.clause)
    with page.store() as store:
        found = episodes(store, wanted, _EARLIER + 1)
        in_all = number(store, wanted)
    others = [each for each in found if each.violation_id != violation.violation_id][:_EARLIER]
    return {"episodes": others, "more": max(0, in_all - 1 - len(others)), "v": violation}


def _proof(page: Page, subject: Subject) -> Mapping[str, Any]:
    # The ledger is the auditor's; that a position is covered says nothing of what is recorded there.
    with page.context.stores.open(everything=True) as store:
        found = committed.committed(store, subject.violation.violation_id)
    verified = last(page.context.settings.data)
    held = [verified is not None and verified.covers(*_place(one)) for one in found]
    states = [(one, committed.standing(one), is_held) for one, is_held in zip(found, held, strict=True)]
    return {"states": states, "verified": verified, "v": subject.violation}


def _place(one: committed.Committed) -> tuple[str, int, int]:
    return one.state.topic, one.state.partition, one.state.offset


_SECTIONS: Final[Sections[Subject]] = Sections(
    "episodes",
    (
        Section("timeline", "What happened when", _timeline, "sse:episodes-recorded"),
        Section("measured", "What was measured", _measured),
        Section("events", "The events that broke it", _events),
        Section("touched", "What it touched", _touched),
        Section("changes", "What changed in the 48 hours before", _changes),
        Section("agreed", "What was agreed, and who signed", _agreed),
        Section("followup", "What follows from it", _followup, "sse:episodes-recorded"),
        Section("incident", "Whether it is a serious incident", _incident, "sse:episodes-recorded"),
        Section("earlier", "Earlier episodes of this clause", _earlier),
        Section("proof", "How far it is proven", _proof),
    ),
)
