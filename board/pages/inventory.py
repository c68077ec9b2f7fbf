"""Inventory: what runs, first what nobody declared, with a draft of the document that declares it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from board.listing import listed, with_or_after
from board.page import Page, Signed
from board.security.origins import RefusedError
from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS, SCHEDULES
from seamwatch.documents.drafting import SeenVersion, draft
from seamwatch.errors import UsageError
from seamwatch.wire.schemas import nearest
from sinks.store.questions.inventory import Running, inventory, owned_by
from sinks.store.questions.seen import Seen, seen, use_cases

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
Sort = Literal["system", "owner", "events", "seen", "review"]

_MOST_STRAYS: Final = 50
_ORDERS: Final[dict[Sort, Callable[[Running], Any]]] = {
    "system": lambda one: one.system,
    "owner": lambda one: (owned_by(one), one.system),
    "events": lambda one: (-one.events, one.system),
    "seen": lambda one: (-(one.last_seen or 0), one.system),
    "review": lambda one: (one.last_review or 0, one.system),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A system, with what its documents say. ``approvals``: how many are in force; ``contracts``: which bind it."""

    running: Running
    owned: str
    approvals: int
    contracts: tuple[tuple[str, str], ...]


@router.get("/inventory", response_class=HTMLResponse)
def page_of_systems(page: Signed, sort: Sort = "system", number: Number = 1, whole: bool = False) -> HTMLResponse:
    """The page; the list comes with it where ``whole`` asks for that, and else by itself."""
    given = with_or_after("/inventory", lambda: _listed(page, sort, number), whole=whole, sort=sort, page=number)
    return page.render("inventory.html", {"sort": sort, "number": number} | given)


@router.get("/parts/inventory", response_class=HTMLResponse)
def part(page: Signed, sort: Sort = "system", number: Number = 1) -> HTMLResponse:
    """The list alone."""
    return page.render("parts/inventory_list.html", _listed(page, sort, number))


@router.get("/inventory/draft/{system:path}", response_class=HTMLResponse)
def draft_page(page: Signed, system: str, owner: str = "") -> HTMLResponse:
    """What was seen of a system that nobody declared, and the document that declares it."""
    found = _seen(page, system)
    text, why_not = None, None
    try:
        text = _draft(page, found, system, owner)
    except UsageError as error:
        why_not = str(error)
    return page.render(
        "inventory_draft.html",
        {
            "system": system,
            "seen": found,
            "draft": text,
            "why_not": why_not,
            "owner": owner,
            "declared": system in page.context.estate.systems,
        },
    )


@router.get("/inventory/draft.yaml")
def draft_file(page: Signed, system: str, owner: str = "") -> Response:
    """The draft as a file."""
    text = _draft(page, _seen(page, system), system, owner)
    return Response(
        text,
        media_type="application/yaml",
        headers={"Content-Disposition": 'attachment; filename="system.yaml"', "Cache-Control": "no-store"},
    )


def _seen(page: Page, system: str) -> list[Seen]:
    with page.store() as store:
        found = seen(store, system)
        if not found:
            known = tuple({one.system for one in seen(store)})
            raise RefusedError(f"nothing was seen of {system!r}{nearest(system, known)}", 404)
    return found


def _draft(page: Page, found: list[Seen], system: str, owner: str) -> str:
    if owner and owner not in page.context.estate.persons:
        raise UsageError(
            f"{owner!r} is nobody that the documents know{nearest(owner, tuple(page.context.estate.persons))}"
        )
    with page.store() as store:
        uses = use_cases(store, system)
    kinds = {one.seen_as for one in found}
    # Who calls tools is an agent, whatever else it decides.
    kind = next(kind for kind in ("agent", "model", "dataset") if kind in kinds)
    versions = [SeenVersion(one.version, one.config_digest, one.last_seen) for one in found]
    return draft(system, kind, versions, uses, owner or None)


def _listed(page: Page, sort: Sort, number: int) -> dict[str, object]:
    with page.store() as store:
        found = sorted(inventory(store), key=_ORDERS[sort])
    now, estate = page.now, page.context.estate
    strays = [_line(one, estate, now) for one in found if not one.registered]
    declared = listed([one for one in found if one.registered], number)
    lines = [_line(one, estate, now) for one in declared.items]
    return {
        "strays": strays[:_MOST_STRAYS],
        "strays_in_all": len(strays),
        "declared": declared,
        "lines": lines,
        "sort": sort,
    }


def _line(running: Running, estate: Estate, now: int) -> Line:
    approvals = sum(
        1
        for version in estate.versions_for(running.system)
        for each in version.approvals
        if (each.approved_at is None or each.approved_at <= now) and (each.ends is None or now < each.ends)
    )
    contracts = tuple(
        (contract.id, contract.version)
        for contract in estate.contracts_for(running.system, now)
        if contract.id not in (DEFAULTS, *SCHEDULES)
    )
    return Line(running, owned_by(running), approvals, contracts)
