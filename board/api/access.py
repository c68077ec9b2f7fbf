"""Access to the API: by a token with scopes, or by a page's session, which changes something only by a form token."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from board.page import Page, context_of_request, page_of
from board.security.origins import HEADER, RefusedError, demand_own_page, demand_token
from board.security.sessions import COOKIE
from board.security.tokens import Scope

_BEARER: Final = HTTPBearer(auto_error=False, description="a token of `seamwatch board-token`")
_COOKIE: Final = APIKeyCookie(
    name=COOKIE, auto_error=False, description=f"the session of a page; what changes something needs `{HEADER}` besides"
)


def caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    _session: Annotated[str | None, Depends(_COOKIE)],
) -> Page:
    """Who asks. A token that is sent counts, whatever session there is. Raises RefusedError, NotSignedInError."""
    if "authorization" not in request.headers:
        return page_of(request)
    context = context_of_request(request)
    viewer = None if bearer is None else context.sessions.by_token(bearer.credentials)
    if viewer is None or not context.still_knows(viewer):
        client = request.client.host if request.client is not None else ""
        if not context.wrong_token_rate.allows(client):
            raise RefusedError("too many tokens that do not serve: wait a minute, and try again", 429)
        raise RefusedError("this token is over, or of nobody who is published, or none of this board", 401)
    return Page(context, request, viewer)


def reader(page: Annotated[Page, Depends(caller)]) -> Page:
    """Who asks, and may read. Raises RefusedError."""
    _demand(page, "read")
    return page


def actor(request: Request, page: Annotated[Page, Depends(caller)]) -> Page:
    """Who asks, and may answer as themselves. Raises RefusedError."""
    _demand(page, "answer")
    if page.viewer.how != "token":
        demand_own_page(request, page.context.origins)
        demand_token(request.headers.get(HEADER), page.form_token)
    return page


def _demand(page: Page, scope: Scope) -> None:
    if scope not in page.viewer.scopes:
        raise RefusedError(f"this token has not the scope {scope}")


Reader = Annotated[Page, Depends(reader)]
Actor = Annotated[Page, Depends(actor)]
