"""Origins: what changes something comes from a page of the board itself, and every answer says what a browser may do.

Checked for each request that may change something, in this order: Sec-Fetch-Site, Origin, the form's token. The API is
asked by programs with a token of their own, which no browser sends by itself.
"""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from seamwatch.errors import SeamwatchError

FORM_TOKEN: Final = "csrf"  # noqa: S105 - the field's name
HEADER: Final = "x-csrf-token"
SAFE: Final = ("GET", "HEAD", "OPTIONS")

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class RefusedError(SeamwatchError):
    """The request is refused; the message says why, ``status`` is its HTTP status."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


def demand_own_page(request: Request, origins: frozenset[str]) -> None:
    """Raise RefusedError for a request that a page of another site has made. ``origins`` are the board's own."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise RefusedError("this was asked for by a page of another site, and was not done")
    origin = request.headers.get("origin")
    if origin is not None and origin not in origins:
        raise RefusedError("this was asked for by a page of another site, and was not done")


def demand_token(given: str | None, expected: str) -> None:
    """Raise RefusedError unless the form's token is that of the session."""
    if given is None or not hmac.compare_digest(given, expected):
        raise RefusedError("the page is of an earlier session: load it again, and repeat")


def path_within(target: str | None) -> str:
    """Where to go after sign-in: a path of the board, never another site; its front page for anything else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\n" in target:
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target
