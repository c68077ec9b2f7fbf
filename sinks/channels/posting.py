"""Posting: one HTTP request with a body to a service, and in words what came of it when nothing did.

Follows no redirection, which could lead a secret elsewhere, and names no URL: at most the host, unless it is secret.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sinks.channels.service import ChannelError, Sending, UnusableError

_MOST: Final = 1 << 20
_TOO_MANY: Final = 429
_PASSING: Final = frozenset({408, 425, _TOO_MANY})
"""What a service refuses that it may take later; it may also do so with any status from 500."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered to a request that it took."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The answer's JSON object; empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def post(sending: Sending, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body to an address. Raises ChannelError unless the answer's status is 2xx."""
    place = place_of(sending, url)
    request = urllib.request.Request(url, body, {"User-Agent": "seamwatch", **headers}, method="POST")  # noqa: S310
    try:
        with _opener().open(request, timeout=sending.seconds) as answer:
            return Answer(answer.status, answer.read(_MOST))
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error, place) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise fault(error, place, sending.seconds) from None


def place_of(sending: Sending, url: str) -> str:
    """The host of an address, with its port, where neither came from a variable of the environment."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    if host.lower() in sending.url.lower() and host.lower() not in sending.published.lower():
        return "the host that a variable of the environment names"
    return f"{host}:{parts.port}" if parts.port else host


def fault(error: BaseException, place: str, seconds: float) -> ChannelError:
    """Why a service could not be asked, in words without a secret."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return ChannelError(f"time-out: no answer within {seconds:g} s from {place}")
    if isinstance(reason, socket.gaierror):
        return ChannelError(f"the name of {place} cannot be found")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return ChannelError(f"the certificate of {place} is not accepted")
    if isinstance(reason, ssl.SSLError):
        return ChannelError(f"no TLS with {place}")
    if isinstance(reason, ConnectionRefusedError):
        return ChannelError(f"the connection was refused by {place}")
    if isinstance(reason, ConnectionError | http.client.HTTPException):
        return ChannelError(f"the connection was broken off by {place}")
    if isinstance(reason, ValueError):
        return UnusableError(f"{place}: the address cannot be used")
    return ChannelError(f"no connection to {place}")


def _refused(error: urllib.error.HTTPError, place: str) -> ChannelError:
    words = f"HTTP {error.code} from {place}"
    if error.code in _PASSING or error.code >= http.client.INTERNAL_SERVER_ERROR:
        return ChannelError(words, after=_after(error))
    return UnusableError(words)


def _after(error: urllib.error.HTTPError) -> float | None:
    """How long the service wants to be left alone; a date, which none of these sends, is passed over."""
    said = error.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else None


class _Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Follow none: then the redirection itself is the answer, and a refusal."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Unredirected())
