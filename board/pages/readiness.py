"""Readiness: ten questions about each system, answered by documents and record, what lacks most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.evidence import readiness_of
from board.listing import address, listed
from board.page import Page, Signed
from sinks.store.questions.readiness import Answer, answer_text, tally

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
_Name = Annotated[str | None, Query(max_length=512)]


@dataclass(frozen=True, slots=True)
class Ready:
    """A system with its answers, and how many there are of each."""

    system: str
    answers: Sequence[Answer]
    told: str
    counts: Counter[str]


@router.get("/readiness", response_class=HTMLResponse)
def page_of_readiness(page: Signed, at: Number = 1, system: _Name = None, whole: bool = False) -> HTMLResponse:
    """The page, of one system or all; the answers come with it where ``whole`` asks for it, and else by themselves."""
    given: dict[str, object] = {"whole": whole, "system": system}
    if whole:
        given |= _answered(page, at, system)
    part, plain = (address(path, page=at, system=system) for path in ("/parts/readiness", "/readiness"))
    return page.render(
        "readiness.html", given | {"part": part, "plain": f"{plain}{'&' if '?' in plain else '?'}whole=1"}
    )


@router.get("/parts/readiness", response_class=HTMLResponse)
def part(page: Signed, at: Number = 1, system: _Name = None) -> HTMLResponse:
    """The answers alone."""
    return page.render("parts/readiness_list.html", _answered(page, at, system))


def _answered(page: Page, at: int, system: str | None) -> dict[str, object]:
    """Those of the systems that may be shown; of nobody's, or another team's, there are none."""
    of: dict[str, list[Answer]] = {}
    for one in readiness_of(page, system):
        of.setdefault(one.system, []).append(one)
    found = [Ready(name, those, tally(those), Counter(one.answer for one in those)) for name, those in of.items()]
    found.sort(key=lambda one: (-one.counts["no"], -one.counts["not_known"], one.system))
    return {"shown": listed(found, at), "answer_text": answer_text, "problems": page.context.estate.problems}
