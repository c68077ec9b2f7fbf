"""The application: where services call, how much is read of a call, and how often one may come. It answers in JSON.

The body is read as it comes, and no further than is kept; what it says is looked at by the desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from replies import pagerduty, webhook
from replies.desk import Answer, Desk
from replies.reply import MOST_BYTES, NotRelayedError
from seamwatch.rates import Rate

_MOST_CALLS: Final = 1_200
_CALLS_SECONDS: Final = 60.0
_READ_SECONDS: Final = 10.0

Handle = Callable[[bytes, Mapping[str, str]], Answer]


def make_app(desk: Desk, ready: Callable[[], bool], start: Callable[[], None], end: Callable[[], None]) -> Starlette:
    """The application over a desk. ``start`` and ``end`` are called at its start and end."""

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        start()
        yield
        await run_in_threadpool(end)

    async def health(_request: Request) -> Response:
        """Whether calls can be taken: it is known what is open."""
        is_ready = ready()
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    routes = [Route("/healthz", health, methods=["GET"])]
    rate = Rate(_MOST_CALLS, _CALLS_SECONDS)
    handlers: tuple[tuple[str, Handle], ...] = (
        (pagerduty.SERVICE, desk.pagerduty),
        (webhook.SERVICE, desk.webhook),
    )
    for service, handle in handlers:
        if desk.serves(service):
            routes.append(Route(f"/{service}", _taking(service, handle, desk, rate), methods=["POST"]))
    return Starlette(routes=routes, lifespan=running)


def _taking(service: str, handle: Handle, desk: Desk, rate: Rate) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        if not rate.allows("" if request.client is None else request.client.host):
            said = f"more than {_MOST_CALLS} calls in a minute: call again later"
            return _told(desk.refuse(service, NotRelayedError("too_many", said, 429)))
        try:
            body = await _body(request)
        except NotRelayedError as error:
            return _told(desk.refuse(service, error))
        # It waits for Kafka, which must not hold up other calls.
        return _told(await run_in_threadpool(handle, body, dict(request.headers)))

    return take


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise NotRelayedError("too_large", f"a call has up to {MOST_BYTES} bytes", 413)
    except TimeoutError:
        raise NotRelayedError("malformed", f"its body did not come within {_READ_SECONDS:.0f} s", 408) from None
    except ClientDisconnect:
        raise NotRelayedError("malformed", "it ended before its body did", 400) from None
    return bytes(body)


def _told(answer: Answer) -> Response:
    headers = {"Retry-After": "30"} if answer.status in (429, 503) else None
    return JSONResponse({"outcome": answer.outcome, "said": answer.said}, answer.status, headers)
