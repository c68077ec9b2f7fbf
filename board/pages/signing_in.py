"""Signing in and out: by this machine's one-time link or an OpenID provider; and who one is, who came by the link."""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from itsdangerous import BadSignature

from board.context import Context
from board.page import Acting, context_of_request, plain, redirected
from board.security import links
from board.security.oidc import CALLBACK, Provider
from board.security.origins import RefusedError, path_within
from seamwatch.errors import UnreachableError
from seamwatch.rates import Rate

router = APIRouter(include_in_schema=False)

_BEGUN: Final = "seamwatch_sign_in"
_BEGUN_PATH: Final = "/sign-in/oidc"
_BEGUN_SECONDS: Final = 600


@router.get("/sign-in", response_model=None)
def sign_in(request: Request, token: str | None = None, back: str | None = None, out: bool = False) -> Response:
    """With the token of a link: begin a session. Without: say how one signs in."""
    context = context_of_request(request)
    oidc = None if context.provider is None else context.provider.issuer
    if token is None:
        return plain("sign_in.html", {"back": path_within(back), "oidc": oidc, "out": out})
    _demand_few_tries(request, context.sign_in_rate)
    if not links.take(context.settings.data, token):
        return plain("sign_in.html", {"back": "/", "used": True, "oidc": oidc}, 403)
    response = redirected(path_within(back))
    context.sessions.begin(response, "link", None)
    return response


@router.get("/sign-in/oidc", response_model=None)
def sign_in_by_provider(request: Request, back: str | None = None) -> Response:
    """Go to the provider to sign in there."""
    context = context_of_request(request)
    provider = _provider(context)
    _demand_few_tries(request, context.provider_rate)
    begun = provider.begin()
    until = context.sessions.now() + _BEGUN_SECONDS * 1_000_000
    held = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier, "until": until}
    response = redirected(begun.url)
    response.set_cookie(
        _BEGUN,
        str(context.sessions.signer(_BEGUN).dumps(held | {"back": path_within(back)})),
        max_age=_BEGUN_SECONDS,
        httponly=True,
        samesite="lax",
        secure=context.sessions.secure,
        path=_BEGUN_PATH,
    )
    return response


@router.get(CALLBACK, response_model=None)
def signed_in_by_provider(
    request: Request, code: str | None = None, state: str = "", error: str | None = None
) -> Response:
    """Come back from the provider: begin a session as the person whom it names."""
    context = context_of_request(request)
    provider = _provider(context)
    _demand_few_tries(request, context.provider_rate)
    begun = _begun(request, context)
    if not hmac.compare_digest(str(begun.get("state", "")).encode(), state.encode()) or not state:
        raise RefusedError("this sign-in was not begun in this browser, or too long ago: begin again")
    if error is not None or code is None:
        raise RefusedError(f"the provider did not let this sign-in through: {error or 'it gave no code'}")
    person = provider.person(code, begun["nonce"], begun["verifier"])
    persons = context.estate.persons
    if not persons:
        raise UnreachableError("which persons are published is not known yet: try again in a moment")
    if person not in persons:
        raise RefusedError(
            f"you are {person} by the provider, and no Person document of that id is published: ask whoever keeps the "
            "contracts for one"
        )
    response = redirected(path_within(begun["back"]))
    context.sessions.begin(response, "oidc", person)
    response.delete_cookie(_BEGUN, path=_BEGUN_PATH)
    return response


@router.get("/sign-in/oidc/out", response_model=None)
def sign_out_of_provider(request: Request) -> Response:
    """Go to the provider's page for signing out there."""
    context = context_of_request(request)
    return redirected(_provider(context).sign_out_url(f"{context.address}/sign-in") or "/sign-in")


@router.post("/sign-out", response_model=None)
def sign_out(page: Acting) -> Response:
    """End the session."""
    response = redirected("/sign-in?out=true" if page.viewer.how == "oidc" else "/sign-in")
    page.context.sessions.end(response)
    return response


@router.post("/me", response_model=None)
def become(page: Acting, person: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Say who one is, for who came by the link of this machine: as whom they look and answer from now on."""
    if page.viewer.how != "link":
        raise RefusedError("who you are is what the provider by which you signed in says")
    if person not in page.context.estate.persons:
        raise RefusedError(f"no person {person} is published", 409)
    response = redirected(path_within(back))
    page.context.sessions.become(response, page.viewer, person)
    return response


def _provider(context: Context) -> Provider:
    if context.provider is None:
        raise RefusedError("nobody signs in by a provider here: SEAMWATCH_BOARD_OIDC_ISSUER is not set", 404)
    return context.provider


def _begun(request: Request, context: Context) -> dict[str, str]:
    """What was asked of the provider in this browser; empty when nothing was, or too long ago."""
    try:
        held = context.sessions.signer(_BEGUN).loads(request.cookies.get(_BEGUN, ""))
    except BadSignature:
        return {}
    return held if isinstance(held, dict) and held.get("until", 0) > context.sessions.now() else {}


def _demand_few_tries(request: Request, rate: Rate) -> None:
    client = request.client.host if request.client is not None else ""
    if not rate.allows(client):
        raise RefusedError("too many tries to sign in: wait a minute, and try again", 429)
