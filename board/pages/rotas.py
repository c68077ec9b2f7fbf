"""Rotas: who is on call now and next, and the turns of four weeks. From the topics, without the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from board.listing import listed
from board.page import Page, Signed
from seamwatch.documents import Rota
from seamwatch.durations import DAY
from sinks.store.questions.rotas import COMING, OnCall, Turn, standing, turns

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
_NOTED: Final = 6
"""So many rotas are noted where the page of all of them is linked."""


@dataclass(frozen=True, slots=True)
class Line:
    """A rota as it stands, its document, and the turns that come; ``rota`` None where there is none to be used."""

    standing: OnCall
    rota: Rota | None
    turns: Sequence[Turn]


@router.get("/rotas", response_class=HTMLResponse)
def page_of_rotas(page: Signed, number: Number = 1) -> HTMLResponse:
    """The whole page."""
    return page.render("rotas.html", _shown(page, number))


@router.get("/parts/rotas", response_class=HTMLResponse)
def part(page: Signed, number: Number = 1) -> HTMLResponse:
    """The rotas alone, for a page that is open."""
    return page.render("parts/rotas_list.html", _shown(page, number))


@router.get("/parts/rotas-now", response_class=HTMLResponse)
def noted(page: Signed) -> HTMLResponse:
    """Who is on call now, for the page of what is open."""
    return page.render("parts/rotas_now.html", now_of(page))


def now_of(page: Page) -> dict[str, object]:
    """The first rotas by id as they stand, and how many more there are."""
    found = standing(page.context.estate, page.now)
    return {"rotas": found[:_NOTED], "more_rotas": max(0, len(found) - _NOTED)}


def _shown(page: Page, number: int) -> dict[str, object]:
    estate, feed = page.context.estate, page.context.feed
    chosen = listed(standing(estate, page.now), number)
    return {
        "list": chosen,
        "lines": [_line(page, one) for one in chosen.items],
        "days": COMING // DAY,
        "away_since": None if feed.away_since is None else round(feed.away_since * 1e6),
        "why_away": feed.why_away,
    }


def _line(page: Page, one: OnCall) -> Line:
    rota = page.context.estate.rotas.get(one.rota)
    return Line(one, rota, () if rota is None else turns(rota, page.now, page.now + COMING))
