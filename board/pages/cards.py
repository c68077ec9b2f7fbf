"""A system's card: what is on record of it put together as of now, to read, to print, and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from board.cards.forms import FORMS, rendered, values_of
from board.evidence import card_of
from board.listing import address
from board.page import Page, Signed
from board.pages.systems import subject_of

router = APIRouter(include_in_schema=False)

_TYPES: Final = {"html": "text/html", "markdown": "text/markdown", "json": "application/json"}


@router.get("/systems/{system:path}/card", response_class=HTMLResponse)
def page_of_card(page: Signed, system: str, whole: bool = False) -> HTMLResponse:
    """The page; the card comes by itself, or at once with ``whole``."""
    subject_of(page, system)
    given: dict[str, Any] = {
        "system": system,
        "whole": whole,
        "part": address("/parts/card", id=system),
        "plain": f"/systems/{quote(system, safe='')}/card?whole=1",
    }
    if whole:
        given |= _shown(page, system)
    return page.render("card.html", given)


@router.get("/parts/card")
def part(
    page: Signed,
    id: str,  # noqa: A002 - the name in the address
    form: Literal["html", "markdown", "json"] | None = None,
) -> Response:
    """The card alone; in a form, as a file."""
    subject_of(page, id)
    if form is None:
        return page.render("parts/card.html", _shown(page, id))
    name = quote(f"{id}.{FORMS[form]}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return Response(rendered(card_of(page, id), form), media_type=_TYPES[form], headers=headers)


def _shown(page: Page, system: str) -> Mapping[str, Any]:
    return values_of(card_of(page, system))
