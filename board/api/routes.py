"""The routes of the API: all of them, and its description, for whoever has a token or a session."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from board.api import actions, changes, episodes, evidence, record, rotas, systems
from board.api.access import Reader
from board.api.models import Me
from board.api.problems import Problem, documented
from seamwatch.instants import format_instant

ROOT: Final = "/api/v1"
_WORDS: Final = """The questions of the pages and of the commands, and what people state, for programs.

Times are RFC 3339, UTC. Every error is a problem (RFC 9457). Lists come in pages: follow `next`."""

router = APIRouter(prefix=ROOT, responses=documented(401, 403, 422, 429, 503))
for part in (episodes, evidence, systems, rotas, changes, record, actions):
    router.include_router(part.router)


@router.get("/me", tags=["access"], response_model=Me)
def me(page: Reader) -> Any:
    """Who asks, and what they may."""
    viewer = page.viewer
    return Me(
        person=viewer.person,
        how=viewer.how,
        scopes=list(viewer.scopes),
        until=format_instant(viewer.until),
        everything=page.everything,
    )


@router.get("/openapi.json", include_in_schema=False)
def described(request: Request, _page: Reader) -> JSONResponse:
    """The description of the API."""
    app: FastAPI = request.app
    app.openapi_schema = app.openapi_schema or _description(app)
    return JSONResponse(app.openapi_schema)


def _description(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(title="Seamwatch", version="1", description=_WORDS, routes=app.routes)
    # What is not valid is told as every other problem is.
    schemas = told["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return told
