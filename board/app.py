"""The application: routes, what every answer carries, and how what goes wrong is told. One for pages and API."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from board import api
from board.api.problems import problem
from board.context import Context
from board.metrics import Metrics
from board.page import NotSignedInError, context_of_request, plain, redirected, wants_fragment
from board.pages import (
    answers,
    audit,
    cards,
    changes,
    compliance,
    contracts,
    drift,
    episodes,
    incidents,
    inventory,
    live,
    on_call,
    readiness,
    reviews,
    rotas,
    signing_in,
    silences,
    sql,
    summaries,
    suspensions,
    systems,
)
from board.security.origins import HEADERS, RefusedError
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from sinks.store.questions.names import UnknownNameError

log = structlog.get_logger(__name__)

_STATIC: Final = Path(__file__).with_name("static")
_STATIC_PATH: Final = "/static"
_PAGES: Final = (
    signing_in,
    on_call,
    episodes,
    cards,  # before systems, whose address takes whatever follows
    systems,
    contracts,
    inventory,
    changes,
    drift,
    silences,
    compliance,
    readiness,
    sql,
    audit,
    answers,
    reviews,
    suspensions,
    incidents,
    summaries,
    rotas,
    live,
)


def make_app(context: Context) -> FastAPI:
    """The board over a context. It follows the topics from its start to its end."""

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        context.feed.start()
        yield
        context.feed.end()

    # As they are, and not included: each application would make all of them anew, at its first request.
    routes = [route for router in (*(module.router for module in _PAGES), api.router) for route in router.routes]
    app = FastAPI(title="Seamwatch", lifespan=running, routes=routes, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    app.state.metrics = Metrics(context.feed, context.hub)
    app.mount(_STATIC_PATH, StaticFiles(directory=_STATIC), name="static")
    # What is asked by another name reaches us through a page that had its own name point here.
    own = {"127.0.0.1", "localhost", "[::1]", urlsplit(context.address).hostname or ""}
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=sorted(own - {""}))
    app.middleware("http")(_answered)
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return app


async def _answered(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer with the headers of every answer, counted by its route: paths hold ids, as many as are asked for."""
    began, status = time.monotonic(), 500
    try:
        response = await call_next(request)
        status = response.status_code
    finally:
        static = request.url.path.startswith(f"{_STATIC_PATH}/")
        route = _STATIC_PATH if static else getattr(request.scope.get("route"), "path", None)
        request.app.state.metrics.answered(route, status, time.monotonic() - began)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _not_signed_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSignedInError)
    if request.url.path.startswith(api.ROOT):
        return problem(401, "sign in, or send a token of `seamwatch board-token` (Authorization: Bearer …)")
    if wants_fragment(request):
        # The page that is open goes there as a whole.
        return Response(status_code=401, headers={"HX-Redirect": f"/sign-in?back={error.back}"})
    if request.url.path.startswith("/live"):
        return Response(status_code=401)
    return redirected(f"/sign-in?back={error.back}")


async def _went_wrong(request: Request, error: Exception) -> Response:
    status = 500
    if isinstance(error, RefusedError):
        status = error.status
    elif isinstance(error, UnreachableError):
        status = 503
    elif isinstance(error, UsageError):
        status = 422
    elif isinstance(error, UnknownNameError):
        status = 404
    if status >= 500:
        log.warning("a page could not be made", path=request.url.path, reason=str(error))
    return _told(request, status, str(error))


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    is_plain = error.status_code == 404 and error.detail == "Not Found"
    said = "there is no such page" if is_plain else str(error.detail)
    return _told(request, error.status_code, said)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _told(request, 422, f"{first['loc'][-1]}: {first['msg']}")


async def _broken(request: Request, error: Exception) -> Response:
    """An error of ours: the server logs it with its traceback after this."""
    answer = _told(
        request, 500, f"this is an error of ours ({type(error).__name__}), and stands in the log of the board"
    )
    answer.headers.update(HEADERS)
    return answer


def _told(request: Request, status: int, said: str) -> Response:
    """The error as a page, or as a part of one, or for a program."""
    if request.url.path.startswith("/api/"):
        return problem(status, said)
    context = context_of_request(request)
    signed_in = context.sessions.viewer(request) is not None
    template = "parts/went_wrong.html" if wants_fragment(request) else "went_wrong.html"
    return plain(template, {"said": said, "status": status, "signed_in": signed_in}, status)


_HANDLERS: Final = {
    NotSignedInError: _not_signed_in,
    SeamwatchError: _went_wrong,
    HTTPException: _not_found,
    RequestValidationError: _not_valid,
    Exception: _broken,
}
