"""A system: who answers for it, what was approved, how it performs, what is agreed and how that stands; its chains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from board.framing import Frame
from board.measuring import five_signals, nearness
from board.page import Page, Signed
from board.pages.suspensions import shown_of
from board.plots import Mark, drawn
from board.sections import Section, Sections
from seamwatch.clauses.clause import Clause
from seamwatch.documents import Contract, System
from seamwatch.durations import DAY, HOUR
from seamwatch.judging.model.facts import Violation
from sinks.store.questions import measured, signals, unjudged
from sinks.store.questions.approvals import approvals, never_used, standing
from sinks.store.questions.changed import served
from sinks.store.questions.drift import drift, moved
from sinks.store.questions.episodes import Wanted, acting, episodes, number
from sinks.store.questions.names import is_known, names, unknown
from sinks.store.questions.owner import bindings, owner
from sinks.store.questions.rotas import standing_by_id

if TYPE_CHECKING:
    from sinks.store.client import Store

router = APIRouter(include_in_schema=False)

_EPISODES: Final = 10
_SIGNAL_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """A system by its id; ``declared`` None for one that no published document declares."""

    id: str
    declared: System | None


@dataclass(frozen=True, slots=True)
class Clauses:
    """A contract in force, and how each of its clauses stands: open episodes, and how near to its bounds."""

    contract: Contract
    rows: Sequence[tuple[Clause, Sequence[Violation], Sequence[str]]]


@router.get("/systems/{system:path}", response_class=HTMLResponse)
def system_page(page: Signed, system: str, whole: bool = False) -> HTMLResponse:
    """The whole page; its sections load by themselves, or come at once with ``whole``."""
    subject = subject_of(page, system)
    sections = _SECTIONS.laid(page, system, subject, whole=whole)
    values = {"subject": subject, "sections": sections, "whole": whole, "open": _open_by_topics(page, system)}
    values |= shown_of(page, system)
    return page.render("system.html", values)


@router.get("/parts/systems/{section}", response_class=HTMLResponse)
def part(page: Signed, section: str, id: str) -> HTMLResponse:  # noqa: A002 - the name in the address
    """One section."""
    return _SECTIONS.part(page, section, lambda: subject_of(page, id))


def subject_of(page: Page, system: str) -> Subject:
    """The system of an id. Raises HTTPException for one that is neither declared nor seen, naming near ones."""
    declared = page.context.estate.systems.get(system)
    if declared is None and not _open_by_topics(page, system):
        with page.store() as store:
            if not is_known(store, "system", system):
                raise HTTPException(404, str(unknown("system", system, names(store, "system"))))
    return Subject(system, declared)


def upstream(systems: Mapping[str, System], system: str) -> list[list[str]]:
    """What feeds a system, nearest first: its sources, their sources, and so on, each once."""
    return _levels(lambda name: systems[name].depends_on if name in systems else (), system)


def downstream(systems: Mapping[str, System], system: str) -> list[list[str]]:
    """What a system feeds, nearest first, each once."""
    fed: dict[str, list[str]] = {}
    for each in systems.values():
        for source in each.depends_on:
            fed.setdefault(source, []).append(each.id)
    return _levels(lambda name: fed.get(name, ()), system)


def _levels(next_of: Any, system: str) -> list[list[str]]:
    seen, level, found = {system}, [system], []
    while level := sorted({after for name in level for after in next_of(name)} - seen):
        seen |= set(level)
        found.append(level)
    return found


def _open_by_topics(page: Page, system: str) -> list[Violation]:
    followed = page.open_episodes()
    return [each.violation for each in followed if each.violation.system == system]


def _in_force(page: Page, system: str) -> tuple[Contract, ...]:
    return page.context.estate.contracts_for(system, page.now)


def _approved(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        given = approvals(store, subject.id, page.now)
    return {
        "approvals": [(one, standing(one, page.now)) for one in given],
        "unused": [told for one in given if (told := never_used(one, page.now)) is not None],
        "system": subject.id,
    }


def _performs(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        drifts = next(iter(drift(store, subject.id)), None)
        latest = _latest(store, subject.id, page.now)
        unresolved = episodes(store, Wanted(subject.id, unresolved=True, drills=False))
    return {
        "latest": latest,
        "latency": signals.latency,
        "accuracy": signals.accuracy,
        "share": signals.share,
        "drift": drifts,
        "moved": "" if drifts is None else moved(drifts),
        "unresolved": [(each, acting(each)) for each in unresolved[:_EPISODES]],
        "more": max(0, len(unresolved) - _EPISODES),
    }


def _on_the_hook(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        found = {"owner": owner(store, subject.id), "bindings": bindings(store, subject.id)}
    return found | {"rotas": standing_by_id(page.context.estate, page.now)}


def _latest(store: Store, system: str, now: int) -> list[signals.Signals]:
    """The signals of the last day on which it served, of a month."""
    first = (datetime.fromtimestamp(now / 1e6, UTC) - timedelta(days=30)).date()
    found = signals.signals(store, first, system)
    return [one for one in found if one.day == found[0].day]


def _versions(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        seen = served(store, subject.id)
        given = approvals(store, subject.id, page.now)
    rows = [
        (
            one,
            [
                (each, standing(each, page.now))
                for each in given
                if each.version == one.version and each.config_digest in ("", one.config_digest or "")
            ],
        )
        for one in seen
    ]
    served_as = {(one.version, one.config_digest or "") for one in seen} | {(one.version, "") for one in seen}
    waiting = [
        version
        for version in (() if subject.declared is None else subject.declared.versions)
        if (version.version, version.config_digest or "") not in served_as
    ]
    return {"rows": rows, "waiting": waiting, "system": subject.id}


def _frame(page: Page, subject: Subject, days: int, name: str) -> Frame:
    marks = tuple(Mark("opened", each.opened_at) for each in _open_by_topics(page, subject.id)[:1])
    return Frame(name, subject.id, page.now - days * DAY, page.now, HOUR, marks)


def _plots(page: Page, subject: Subject) -> Mapping[str, Any]:
    clauses = [clause for contract in _in_force(page, subject.id) for clause in contract.clauses]
    with page.store() as store:
        found = five_signals(store, _frame(page, subject, _SIGNAL_DAYS, "signal"), clauses)
    return {"plots": [drawn(plot) for plot in found], "days": _SIGNAL_DAYS}


def _episodes(page: Page, subject: Subject) -> Mapping[str, Any]:
    with page.store() as store:
        unresolved = episodes(store, Wanted(subject.id, unresolved=True), _EPISODES)
        latest = episodes(store, Wanted(subject.id), _EPISODES)
        in_all = number(store, Wanted(subject.id))
    past = [each for each in latest if each.state == "resolved"]
    return {"episodes": [*unresolved, *past][: 2 * _EPISODES], "in_all": in_all, "system": subject.id}


def _contracts(page: Page, subject: Subject) -> Mapping[str, Any]:
    frame = _frame(page, subject, 1, "near")
    with page.store() as store:
        rows = measured.decided(store, frame.span)
        unresolved = episodes(store, Wanted(subject.id, unresolved=True))
        found = [
            Clauses(
                contract,
                [
                    (clause, _of(unresolved, contract, clause), nearness(store, frame, clause, rows))
                    for clause in contract.clauses
                ],
            )
            for contract in _in_force(page, subject.id)
        ]
    agreed = {each.id for each in page.context.estate.contracts}
    return {"contracts": found, "agreed": agreed}


def _of(unresolved: Iterable[Violation], contract: Contract, clause: Clause) -> list[Violation]:
    return [each for each in unresolved if each.contract == contract.id and each.clause == clause.id]


def _chains(page: Page, subject: Subject) -> Mapping[str, Any]:
    systems = page.context.estate.systems
    followed = [each.violation for each in page.open_episodes()]
    hurt = {each.system for each in followed if each.severity == "breach"}
    return {
        "upstream": upstream(systems, subject.id),
        "downstream": downstream(systems, subject.id),
        "declared": systems,
        "hurt": hurt,
        "subject": subject,
    }


def _unjudged(page: Page, subject: Subject) -> Mapping[str, Any]:
    period = unjudged.Period(page.now - _SIGNAL_DAYS * DAY, page.now)
    with page.store() as store:
        found = unjudged.looked(store, page.context.estate, period, [subject.id], everything=page.everything)
    return {
        "rows": [(one, unjudged.standing(one), unjudged.sentence(one)) for one in unjudged.not_judged(found)],
        "judged": [one for one in found if one.why == unjudged.JUDGED],
        "days": _SIGNAL_DAYS,
    }


def _unwatched(page: Page, subject: Subject) -> Mapping[str, Any]:
    clauses = [clause for contract in _in_force(page, subject.id) for clause in contract.clauses]
    watched = unjudged.watched_signals(clauses)
    lacking = [name for name in unjudged.SIGNALS if name not in watched]
    first = (datetime.fromtimestamp(page.now / 1e6, UTC) - timedelta(days=30)).date()
    with page.store() as store:
        lost = signals.unmatched(store, first, subject.id)
        drifts = next(iter(drift(store, subject.id)), None)
    return {"lacking": lacking, "lost": lost, "first": first, "drift": drifts, "system": subject.id}


_SECTIONS: Final[Sections[Subject]] = Sections(
    "systems",
    (
        Section("approved", "Who approved this for this use case?", _approved),
        Section("performs", "How does it perform against what was approved?", _performs, "sse:episodes-recorded"),
        Section("hook", "Who is on the hook?", _on_the_hook),
        Section("contracts", "What is agreed, and how it stands", _contracts, "sse:episodes-recorded"),
        Section("signals", "The five signals", _plots),
        Section("versions", "Versions, configurations and approvals", _versions),
        Section("episodes", "Episodes", _episodes, "sse:episodes-recorded"),
        Section("chains", "What feeds it, and what it feeds", _chains),
        Section("unjudged", "What could not be judged", _unjudged),
        Section("unwatched", "What nobody watches", _unwatched),
    ),
)
