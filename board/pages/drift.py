"""Drift: whether the scores of each system that serves still look like those approved, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.listing import listed, with_or_after
from board.page import Page, Signed
from seamwatch.clauses.distribution import Distribution
from seamwatch.documents import Estate
from seamwatch.durations import format_duration
from seamwatch.judging.patterns.wording import moment_text, share_text
from sinks.store.questions.drift import Drift
from sinks.store.questions.drift import drift as asked

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
MEANING: Final = {
    "drifting": "the scores are no longer those approved",
    "unwatched": "no distribution clause watches the scores, so that nobody would know",
    "learning": "what they are to be compared with is not complete yet, so that nothing can be said of them",
    "steady": "they look like those approved",
}


@dataclass(frozen=True, slots=True)
class Agreed:
    """A clause by which the scores are watched, in words; ``reviewer`` None where it names nobody."""

    contract: str
    version: str
    clause: str
    words: str
    reviewer: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """How a system stands, what was agreed of it, and who reviews it by its document."""

    drift: Drift
    agreed: Sequence[Agreed]
    reviewer: str | None


@router.get("/drift", response_class=HTMLResponse)
def page_of_drift(page: Signed, at: Number = 1, whole: bool = False) -> HTMLResponse:
    """The page; the table comes with it where ``whole`` asks for that, and else by itself."""
    return page.render("drift.html", with_or_after("/drift", lambda: _listed(page, at), whole=whole, page=at))


@router.get("/parts/drift", response_class=HTMLResponse)
def part(page: Signed, at: Number = 1) -> HTMLResponse:
    """The table alone."""
    return page.render("parts/drift_list.html", _listed(page, at))


def _listed(page: Page, at: int) -> dict[str, object]:
    with page.store() as store:
        found = asked(store)
    shown = listed(found, at)
    lines = [_line(one, page.context.estate, page.now) for one in shown.items]
    counts = {word: sum(one.drift == word for one in found) for word in MEANING}
    return {"shown": shown, "lines": lines, "counts": counts, "meaning": MEANING}


def _line(one: Drift, estate: Estate, now: int) -> Line:
    agreed = [
        Agreed(contract.id, contract.version, clause.id, words(clause), clause.reviewer)
        for contract in estate.contracts_for(one.system, now)
        for clause in contract.clauses
        if isinstance(clause, Distribution)
    ]
    declared = estate.systems.get(one.system)
    reviewer = None if declared is None or declared.review is None else " and ".join(declared.review.by)
    return Line(one, agreed, reviewer)


def words(clause: Distribution) -> str:
    """What a clause agrees of scores."""
    of = clause.reference
    if of.first is not None:
        compared = f"the first {format_duration(of.first)}"
    elif of.period is not None:
        compared = f"those up to {moment_text(of.period.to)}"
    else:
        compared = "those in its file"
    version = f" of version {of.of_version}" if of.of_version else ""
    by = ", each cohort by itself" if clause.by else ""
    return f"no pass rate moves by more than {share_text(clause.floor)}, compared with {compared}{version}{by}"
