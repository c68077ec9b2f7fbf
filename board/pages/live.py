"""The stream: server-sent events to each page that is open: that something has changed, and that we are still there.

A page that lost it connects again by itself, hears ``hello``, and asks for its parts anew, so nothing need be repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from board.context import Context
from board.page import Page, page_of

router = APIRouter(include_in_schema=False)

_QUIET_SECONDS: Final = 15.0
_AGAIN_MILLIS: Final = 1_000


@router.get("/live")
async def live(page: Annotated[Page, Depends(page_of)]) -> StreamingResponse:
    """Changes, until the page is closed or its session ends."""
    return StreamingResponse(
        _events(page.context, page.viewer.until),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(context: Context, until: int) -> AsyncIterator[bytes]:
    yield format_sse_event(event="hello", data_str="{}", retry=_AGAIN_MILLIS)
    async for change in context.hub.changes(_QUIET_SECONDS):
        if context.sessions.now() >= until:
            yield format_sse_event(event="over", data_str="the session is over")
            return
        if change is None:
            yield format_sse_event(event="beat", data_str="")
        else:
            yield format_sse_event(event=change.name, data_str=change.of)
