"""Pages of lists, and times in addresses, as the API takes them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Request

from board.api.models import without_nan
from seamwatch.durations import parse_duration
from seamwatch.errors import UsageError
from seamwatch.instants import parse_instant

MOST: Final = 500
_FARTHEST: Final = 10_000

Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]
Offset = Annotated[int, Query(ge=0, le=_FARTHEST, description="how many are left out before them")]
Name = Annotated[str | None, Query(max_length=512)]
Since = Annotated[str | None, Query(max_length=64, description="a duration back from now (24h) or a time (RFC 3339)")]


def page_of_list(request: Request, items: Sequence[Any], limit: int, offset: int, total: int | None = None) -> Any:
    """A page of a list as JSON, of all items; where ``total`` says how many there are, of those from ``offset`` on."""
    shown = items[offset : offset + limit] if total is None else items[:limit]
    count = len(items) if total is None else total
    more = offset + limit < count and offset + limit <= _FARTHEST
    following = request.url.include_query_params(offset=offset + limit, limit=limit) if more else None
    return {
        "items": without_nan(list(shown)),
        "next": None if following is None else f"{following.path}?{following.query}",
        "total": count,
    }


def moment(name: str, text: str | None, now: int) -> int | None:
    """The time (micros) that a parameter names. Raises UsageError for what is none."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        pass
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{name}={text}: write a duration such as 24h, or a time such as 2026-03-02T10:00:00Z"
        ) from None
