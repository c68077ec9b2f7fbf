"""Episodes by the API: those on record, one of them, and why it came when it did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from board.api.access import Reader
from board.api.models import Episode, Lateness, listing, without_nan
from board.api.paging import Limit, Name, Since, moment
from board.api.problems import documented
from board.security.origins import RefusedError
from seamwatch.judging.model.text import violation_object
from sinks.store.questions.episodes import Before, Wanted, episode, episodes, number
from sinks.store.questions.lateness import history_of, timeline_of, timeline_record
from sinks.store.questions.names import demand_known

router = APIRouter(tags=["episodes"], responses=documented(404))

Id = Annotated[str, Path(max_length=128, description="a violation_id")]


@router.get("/episodes", response_model=listing(Episode))
def listed(
    request: Request,
    page: Reader,
    system: Name = None,
    unresolved: Annotated[bool, Query(description="only what is not resolved")] = False,
    since: Since = None,
    before: Annotated[str | None, Query(max_length=128, description="go on after this violation_id")] = None,
    limit: Limit = 100,
) -> Any:
    """Every violation in its latest state, what opened last first."""
    opened = moment("since", since, page.now)
    with page.store() as store:
        last = None if before is None else episode(store, before)
        if before is not None and last is None:
            raise RefusedError(f"before={before}: no violation of this id is on record", 404)
        after = None if last is None else Before(last.opened_at, last.violation_id)
        found = episodes(store, Wanted(system, unresolved, opened, after), limit + 1)
        if not found:
            demand_known(store, system=system)
        total = number(store, Wanted(system, unresolved, opened))
    following = None
    if len(found) > limit:
        where = request.url.include_query_params(before=found[limit - 1].violation_id, limit=limit)
        following = f"{where.path}?{where.query}"
    items = [without_nan(violation_object(each)) for each in found[:limit]]
    return {"items": items, "next": following, "total": total}


@router.get("/episodes/{violation_id}", response_model=Episode)
def one(page: Reader, violation_id: Id) -> Any:
    """A violation in its latest state."""
    with page.store() as store:
        found = episode(store, violation_id)
    if found is None:
        raise RefusedError(f"no violation {violation_id} is on record", 404)
    return without_nan(violation_object(found))


@router.get("/episodes/{violation_id}/lateness", response_model=Lateness)
def lateness(page: Reader, violation_id: Id) -> Any:
    """Why it opened, and reached a person, when it did."""
    # Of what the board's role may not read (headers) it is told what was waited for, and no content.
    with page.store() as store:
        known = episode(store, violation_id) is not None
    with page.context.stores.open(everything=True) as store:
        history = history_of(store, violation_id) if known else None
    if history is None:
        raise RefusedError(f"no violation {violation_id} is on record", 404)
    return {"violation_id": violation_id} | timeline_record(timeline_of(history))
