"""Changes by the API: what was announced, what of it stands, and what serves unannounced."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from board.announced import Change, Standing
from board.api.access import Reader
from board.api.models import UNANNOUNCED, AnnouncedChange, listing
from board.api.paging import Limit, Offset, page_of_list
from board.api.problems import documented
from board.security.origins import RefusedError
from seamwatch.instants import format_instant
from sinks.store.questions.announcements import announcements, naming, newest, number, of_changes
from sinks.store.questions.rows import records
from sinks.store.questions.seen import seen

router = APIRouter(tags=["changes"], responses=documented(404))

_SAME = (
    "change_id", "system", "environment", "kind", "from_value", "to_value", "config_digest", "summary", "announced_by",
    "signatures",
)  # fmt: skip


@router.get("/changes", response_model=listing(AnnouncedChange))
def announced(request: Request, page: Reader, limit: Limit = 100, offset: Offset = 0) -> Any:
    """What was announced, the latest first; a page is of so many change_ids, which may hold several contents each."""
    with page.store() as store:
        total = number(store)
        found = of_changes(store, newest(store, limit, offset))
    told = [_told(change) for change in Standing(page.context.estate, page.now).changes(found)]
    return page_of_list(request, told, limit, offset, total) | {"items": told}


@router.get("/unannounced", response_model=listing(UNANNOUNCED))
def unannounced(request: Request, page: Reader, limit: Limit = 100, offset: Offset = 0) -> Any:
    """Versions and configurations that serve, and that no document and no announcement names."""
    standing = Standing(page.context.estate, page.now)
    with page.store() as store:
        served = seen(store)
        named = naming(store, sorted({value for _, _, value, _ in standing.undeclared(served)}))
    found = records(standing.unannounced(served, named))
    moments = [each | {name: format_instant(each[name]) for name in ("first_seen", "last_seen")} for each in found]
    return page_of_list(request, moments, limit, offset)


@router.get("/changes/{change_id:path}", response_model=listing(AnnouncedChange))
def of_change(
    request: Request,
    page: Reader,
    change_id: Annotated[str, Path(max_length=512)],
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """What was announced under a change_id, each content once, the latest first."""
    with page.store() as store:
        found = announcements(store, change_id)
    if not found:
        raise RefusedError(f"no change {change_id!r} is on record", 404)
    told = [_told(change) for change in Standing(page.context.estate, page.now).changes(found)]
    return page_of_list(request, told, limit, offset)


def _told(change: Change) -> dict[str, Any]:
    said = change.record
    return {name: said[name] for name in _SAME} | {
        "reference": change.reference,
        "announced_at": format_instant(said["event_time"]),
        "effective_at": format_instant(said["effective_at"]),
        "stands": change.stands,
        "newest": change.newest,
    }
