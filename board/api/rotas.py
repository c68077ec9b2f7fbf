"""Rotas by the API: who is on call, until when and who follows, and the turns that come."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from board.api.access import Reader
from board.api.models import ROTA, listing
from board.api.paging import Limit, Name, Offset, page_of_list
from board.api.problems import documented
from seamwatch.durations import DAY
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant
from sinks.store.questions.rotas import COMING, rota_record, standing

router = APIRouter(tags=["rotas"], responses=documented(404))

_FURTHEST: Final = 366 * DAY


@router.get("/rotas", response_model=listing(ROTA))
def on_call(
    request: Request,
    page: Reader,
    rota: Name = None,
    at: Annotated[str | None, Query(max_length=64, description="as of a time (RFC 3339) or day; else now")] = None,
    until: Annotated[
        str | None, Query(max_length=64, description="turns up to a time or day, at most a year on; else of four weeks")
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Who is on call by each rota, or by one, until when and who follows, and the turns that come."""
    moment = page.now if at is None else _instant("at", at)
    end = moment + COMING if until is None else _instant("until", until)
    if not moment < end <= moment + _FURTHEST:
        raise UsageError(f"until={until}: it must be after the time that is asked about, and within 366 days of it")
    estate = page.context.estate
    found = standing(estate, moment, () if rota is None else (rota,))
    told = [rota_record(estate, one, end) for one in found[offset : offset + limit]]
    return page_of_list(request, told, limit, offset, len(found))


def _instant(name: str, text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
