"""Systems by the API: what runs, who owns it, what it may serve, how it does, and under which contracts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from board.api.access import Reader
from board.api.answering import answer_of
from board.api.models import (
    APPROVAL,
    BINDING,
    DOCUMENT,
    DRIFT,
    OWNER,
    REVIEW,
    SIGNALS,
    SIGNATURE,
    SYSTEM,
    listing,
    without_nan,
)
from board.api.paging import Limit, Name, Offset, page_of_list
from board.api.problems import documented
from board.security.origins import RefusedError
from sinks.store.questions.approvals import approvals
from sinks.store.questions.drift import drift
from sinks.store.questions.inventory import inventory
from sinks.store.questions.names import demand_known
from sinks.store.questions.owner import bindings, owner
from sinks.store.questions.published import published
from sinks.store.questions.reviews import reviews
from sinks.store.questions.rows import record, records
from sinks.store.questions.signals import signals
from sinks.store.questions.signatures import signatures
from sinks.store.questions.suspended import suspended_now

router = APIRouter(tags=["systems"], responses=documented(404))

System = Annotated[str, Path(max_length=512, description="the id of a system")]
Days = Annotated[int, Query(ge=1, le=3660, description="how many days of event time, up to now")]


@router.get("/systems", response_model=listing(SYSTEM))
def running(
    request: Request,
    page: Reader,
    unregistered: Annotated[bool, Query(description="only what nobody declared")] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """What runs, first what nobody declared."""
    with page.store() as store:
        found = inventory(store, unregistered=unregistered)
        stopped = suspended_now(store, page.now)
    told = [record(row) | {"suspended": records(s for s in stopped if s.system == row.system)} for row in found]
    return page_of_list(request, told, limit, offset)


@router.get("/systems/{system:path}/owner", response_model=OWNER)
def owned(page: Reader, system: System) -> Any:
    """Who is on the hook for it, and how they are reached."""
    with page.store() as store:
        found = owner(store, system)
        if found is None:
            demand_known(store, system=system)
            raise RefusedError(f"of system {system!r} it is not known who owns it", 404)
    return record(found)


@router.get("/systems/{system:path}/contracts", response_model=listing(BINDING))
def bound(request: Request, page: Reader, system: System, limit: Limit = 100, offset: Offset = 0) -> Any:
    """The contracts that cover it now."""
    return page_of_list(request, answer_of(page, partial(bindings, system=system), system=system), limit, offset)


@router.get("/systems/{system:path}/approvals", response_model=listing(APPROVAL))
def approved(request: Request, page: Reader, system: System, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Who approved which version of it for which use, and what that has allowed."""
    return page_of_list(
        request, answer_of(page, partial(approvals, system=system, now=page.now), system=system), limit, offset
    )


@router.get("/systems/{system:path}/signals", response_model=listing(SIGNALS))
def of_system(
    request: Request, page: Reader, system: System, days: Days = 1, limit: Limit = 100, offset: Offset = 0
) -> Any:
    """Its five signals, by version and day."""
    return _signals(request, page, system, days, limit, offset)


@router.get("/systems/{system:path}/reviews", response_model=listing(REVIEW))
def reviewed(request: Request, page: Reader, system: System, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Its attested reviews, the latest first."""
    with page.store() as store:
        found = sorted(reviews(store, system), key=lambda each: (-each.event_time, each.subject, each.person))
        if not found:
            demand_known(store, system=system)
    return page_of_list(request, records(found), limit, offset)


@router.get("/signals", response_model=listing(SIGNALS))
def of_all(request: Request, page: Reader, days: Days = 1, limit: Limit = 100, offset: Offset = 0) -> Any:
    """The five signals of every system, by version and day."""
    return _signals(request, page, None, days, limit, offset)


@router.get("/drift", response_model=listing(DRIFT))
def drifting(request: Request, page: Reader, system: Name = None, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Whether the scores of each system still look like those approved, the worst first."""
    return page_of_list(request, answer_of(page, partial(drift, system=system), system=system), limit, offset)


@router.get("/contracts", response_model=listing(DOCUMENT))
def contracts(request: Request, page: Reader, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Every version of every contract that is published, as JSON text."""
    with page.store() as store:
        found = records(published(store, "Contract"))
    return page_of_list(request, found, limit, offset)


@router.get("/contracts/{contract:path}/signatures", response_model=listing(SIGNATURE))
def signed(
    request: Request,
    page: Reader,
    contract: Annotated[str, Path(max_length=512, description="the id of a contract")],
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Who signed which version of it and when, and who must and has not."""
    with page.store() as store:
        versions = [f"{each.id}@{each.version}" for each in published(store, "Contract") if each.id == contract]
        if not versions:
            demand_known(store, contract=contract)
        found = records(signatures(store, versions))
    return page_of_list(request, found, limit, offset)


def _signals(request: Request, page: Reader, system: str | None, days: int, limit: int, offset: int) -> Any:
    first = (datetime.fromtimestamp(page.now / 1e6, UTC) - timedelta(days=days)).date()
    with page.store() as store:
        found = records(signals(store, first, system))
        if not found:
            demand_known(store, system=system)
    return page_of_list(request, without_nan(found), limit, offset)
