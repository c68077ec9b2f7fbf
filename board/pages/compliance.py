"""Compliance: tiers and agreed behaviour, and whether they held; reviews due, what is owed, summed up and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.evidence import tiers_of, unjudged_of
from board.listing import Listed, address, listed
from board.page import Page, Signed
from seamwatch.clauses.assertion import Assertion
from seamwatch.durations import DAY, compact_duration
from seamwatch.engine.seams import BoundClause, Seams
from sinks.store.client import Store
from sinks.store.questions import unjudged
from sinks.store.questions.acknowledgements import Asked, asked_of
from sinks.store.questions.acknowledgements import standing as said_of
from sinks.store.questions.due import due
from sinks.store.questions.followups import followups, standing
from sinks.store.questions.holds import holds
from sinks.store.questions.incidents import incidents
from sinks.store.questions.incidents import standing as reported_of
from sinks.store.questions.inventory import inventory
from sinks.store.questions.passed import Week, weeks
from sinks.store.questions.reviews import all_reviews
from sinks.store.questions.summaries import Summary, number, summaries
from sinks.store.questions.tiers import coverage, covered

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(ge=1, le=1_000_000)]
_WEEKS: Final = 8
_ASSERTIONS: Final = 15
_SUMMARIES: Final = 20
_DAYS: Final = 7
PARTS: Final = {
    "tiers": "Tiers of the risk policy",
    "reviews": "Scheduled reviews",
    "incidents": "Serious incidents and their reports",
    "followups": "What is owed after what was broken",
    "summaries": "Summaries and their receipts",
    "assertions": "Agreed behaviour, by week",
    "unjudged": "What could not be judged",
    "kept": "Holds and retention",
}


@dataclass(frozen=True, slots=True)
class Held:
    """An assertion over a system, and its weeks in the order of the page's; ``hidden``: who looks may not be told."""

    system: str
    contract: str
    version: str
    clause: str
    must: str
    at_least: float
    weeks: Sequence[Week | None] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A summary, and what came of its receipt; ``mine``: who looks confirms it, or has."""

    summary: Summary
    receipt: Asked | None
    said: str
    mine: bool


@router.get("/compliance", response_class=HTMLResponse)
def page_of_compliance(
    page: Signed,
    tiered: Number = 1,
    reviews: Number = 1,
    declared: Number = 1,
    owed: Number = 1,
    sent: Number = 1,
    held: Number = 1,
    lacking: Number = 1,
    whole: bool = False,
) -> HTMLResponse:
    """The page; its parts come with it where ``whole`` asks for that, and else each by itself."""
    at = {
        "tiered": tiered, "reviews": reviews, "declared": declared, "owed": owed, "sent": sent, "held": held,
        "lacking": lacking,
    }  # fmt: skip
    given: dict[str, object] = {"whole": whole, "parts": PARTS, "plain": address("/compliance", **at, whole=1)}
    if whole:
        given |= (
            _tiers(page, tiered)
            | _reviews(page, reviews)
            | _incidents(page, declared)
            | _followups(page, owed)
            | _summaries(page, sent)
            | _assertions(page, held)
            | _unjudged(page, lacking)
            | _kept(page)
        )
    given |= {
        "addresses": {
            "tiers": address("/parts/compliance/tiers", tiered=tiered),
            "reviews": address("/parts/compliance/reviews", reviews=reviews),
            "incidents": address("/parts/compliance/incidents", declared=declared),
            "followups": address("/parts/compliance/followups", owed=owed),
            "summaries": address("/parts/compliance/summaries", sent=sent),
            "assertions": address("/parts/compliance/assertions", held=held),
            "unjudged": address("/parts/compliance/unjudged", lacking=lacking),
            "kept": "/parts/compliance/kept",
        }
    }
    return page.render("compliance.html", given)


@router.get("/parts/compliance/tiers", response_class=HTMLResponse)
def tiers_part(page: Signed, tiered: Number = 1) -> HTMLResponse:
    """The tiers alone."""
    return page.render("parts/compliance_tiers.html", _tiers(page, tiered))


@router.get("/parts/compliance/reviews", response_class=HTMLResponse)
def reviews_part(page: Signed, reviews: Number = 1) -> HTMLResponse:
    """The reviews alone."""
    return page.render("parts/compliance_reviews.html", _reviews(page, reviews))


@router.get("/parts/compliance/incidents", response_class=HTMLResponse)
def incidents_part(page: Signed, declared: Number = 1) -> HTMLResponse:
    """The incidents alone."""
    return page.render("parts/compliance_incidents.html", _incidents(page, declared))


@router.get("/parts/compliance/followups", response_class=HTMLResponse)
def followups_part(page: Signed, owed: Number = 1) -> HTMLResponse:
    """What is owed alone."""
    return page.render("parts/compliance_followups.html", _followups(page, owed))


@router.get("/parts/compliance/summaries", response_class=HTMLResponse)
def summaries_part(page: Signed, sent: Number = 1) -> HTMLResponse:
    """The summaries alone."""
    return page.render("parts/compliance_summaries.html", _summaries(page, sent))


@router.get("/parts/compliance/assertions", response_class=HTMLResponse)
def assertions_part(page: Signed, held: Number = 1) -> HTMLResponse:
    """The assertions alone."""
    return page.render("parts/compliance_assertions.html", _assertions(page, held))


@router.get("/parts/compliance/unjudged", response_class=HTMLResponse)
def unjudged_part(page: Signed, lacking: Number = 1) -> HTMLResponse:
    """What could not be judged alone."""
    return page.render("parts/compliance_unjudged.html", _unjudged(page, lacking))


@router.get("/parts/compliance/kept", response_class=HTMLResponse)
def kept_part(page: Signed) -> HTMLResponse:
    """Holds and retention alone."""
    return page.render("parts/compliance_kept.html", _kept(page))


def _tiers(page: Page, at: int) -> dict[str, object]:
    found = tiers_of(page)
    wanting = [one for one in found if one.state != "held"]
    return {"tiered": listed(wanting, at), "coverage": coverage(found), "covered": covered(found)}


def _reviews(page: Page, at: int) -> dict[str, object]:
    with page.store() as store:
        first_seen = {one.system: one.first_seen for one in inventory(store)}
        attested = all_reviews(store)
    found = due(page.context.estate, attested, first_seen, page.now)
    overdue = sum(1 for one in found if one.due_at is not None and one.due_at <= page.now)
    return {"reviews": listed(found, at), "overdue": overdue}


def _incidents(page: Page, at: int) -> dict[str, object]:
    with page.store() as store:
        found = incidents(store, over=True)
    said = [(one, reported_of(one, page.now)) for one in found]
    late = sum(1 for one in found if one.due_at is not None and one.due_at <= page.now)
    return {"incidents": listed(said, at), "unreported": late}


def _followups(page: Page, at: int) -> dict[str, object]:
    with page.store() as store:
        found = followups(store)
    said = [(one, standing(one, page.now)) for one in found]
    return {"owed": listed(said, at), "late": sum(1 for one in found if one.due_at <= page.now)}


def _summaries(page: Page, at: int) -> dict[str, object]:
    with page.store() as store:
        total = number(store)
        at = min(at, max(1, -(-total // _SUMMARIES)))
        found = summaries(store, _SUMMARIES, (at - 1) * _SUMMARIES)
        asked = asked_of(store, "summary", [one.notice_id for one in found]) if found else []
    receipts = {(one.reference, one.person): one for one in asked}
    sent = []
    for one in found:
        receipt = receipts.get((one.notice_id, one.person))
        said = "nobody is asked for a receipt" if receipt is None else said_of(receipt, page.now)
        mine = receipt is not None and bool(receipt.waiting) and one.person == page.viewer.person
        sent.append(Sent(one, receipt, said, mine))
    return {"sent": Listed(sent, at, total, _SUMMARIES)}


def _assertions(page: Page, at: int) -> dict[str, object]:
    estate, now = page.context.estate, page.now
    seams = Seams(estate, None)
    bound = [
        each
        for system in sorted(estate.systems)
        for contract in estate.contracts_for(system, now)
        for each in seams.covering(contract, system).values()
        if isinstance(each.clause, Assertion)
    ]
    mondays = _mondays(now)
    pages = max(1, -(-len(bound) // _ASSERTIONS))
    at = min(at, pages)
    with page.store() as store:
        shown = [_held(page, store, each, mondays) for each in bound[(at - 1) * _ASSERTIONS : at * _ASSERTIONS]]
    return {"held": Listed(shown, at, len(bound), _ASSERTIONS), "mondays": mondays}


def _held(page: Page, store: Store, bound: BoundClause, mondays: Sequence[date]) -> Held:
    clause, seam = bound.clause, bound.seam
    assert isinstance(clause, Assertion)
    select = clause.measures(seam)[0].select
    read = clause.must.columns | (frozenset() if select is None else select.columns)
    hidden = bool(page.hidden & frozenset(read))
    said = Held(
        seam.system, seam.contract, seam.contract_version, clause.id, str(clause.must), clause.at_least, hidden=hidden
    )
    if hidden:
        return said
    since = (mondays[0] - date(1970, 1, 1)).days * DAY
    found = {one.week: one for one in weeks(store, seam.system, clause.on, clause.must, select, since, page.now)}
    return Held(
        said.system, said.contract, said.version, said.clause, said.must, said.at_least, [found.get(m) for m in mondays]
    )


def _unjudged(page: Page, at: int) -> dict[str, object]:
    found = unjudged_of(page, page.now - _DAYS * DAY)
    rows = [(one, unjudged.standing(one), unjudged.sentence(one)) for one in found]
    return {"lacking": listed(rows, at), "days": _DAYS}


def _mondays(now: int) -> list[date]:
    """The Mondays of the last weeks, the oldest first, with that of this week."""
    today = date(1970, 1, 1) + timedelta(days=now // DAY)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(_WEEKS))]


def _kept(page: Page) -> dict[str, object]:
    with page.store() as store:
        found = holds(store)
    periods = page.context.settings.retention or {}
    return {"holds": found, "retention": [(table, compact_duration(kept)) for table, kept in sorted(periods.items())]}
