"""Tokens: what a client shows that logs in by OAUTHBEARER, from the token endpoint that librdkafka's properties name.

librdkafka asks for its own; this is for Faust's driver. The grant is that of client credentials (RFC 6749, 4.4).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from seamwatch.errors import UsageError

_PREFIX: Final = "sasl.oauthbearer."
_NEEDED: Final = ("token.endpoint.url", "client.id", "client.secret")
_LONG: Final = "client.credentials."
"""librdkafka knows the client's id and secret by a longer name besides."""
OF_TOKENS: Final = frozenset(
    {"https.ca.location"}
    | {_PREFIX + name for name in (*_NEEDED, "method", "scope", "extensions", "grant.type")}
    | {f"{_PREFIX}{_LONG}{name}" for name in _NEEDED if name.startswith("client.")}
)
"""The properties that are gone by here."""
_EARLY_SECONDS: Final = 30.0
"""So long before its end a token is taken for over: it has to last until the broker has seen it."""


@dataclass
class Tokens:
    """Gives a token that is good, and asks for another when it is not any more."""

    url: str
    client: str
    secret: str = field(repr=False)
    scope: str | None = None
    ca: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    """What the broker is told besides (RFC 7628, 3.1)."""
    _known: str | None = field(default=None, init=False, repr=False)
    _until: float = field(default=0.0, init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """By librdkafka's properties. Raises UsageError that names one which is missing, or a grant we do not know."""
        needed = []
        for name in _NEEDED:
            found = properties.get(_PREFIX + name) or properties.get(f"{_PREFIX}{_LONG}{name}")
            if not found:
                raise UsageError(f"SEAMWATCH_KAFKA_PROPERTIES does not name {_PREFIX}{name}")
            needed.append(str(found))
        grant = properties.get(f"{_PREFIX}grant.type", "client_credentials")
        if grant != "client_credentials":
            raise UsageError(f"{_PREFIX}grant.type={grant}: the pager can ask for tokens by client_credentials only")
        given = filter(None, str(properties.get(f"{_PREFIX}extensions", "")).split(","))
        extensions = {name.strip(): value for name, _, value in (each.partition("=") for each in given)}
        url, client, secret = needed
        ca = properties.get("https.ca.location")
        return cls(url, client, secret, properties.get(f"{_PREFIX}scope"), ca, extensions)

    async def token(self) -> str:
        """A token. Raises what the request raises: the driver tries again."""
        async with self._asking:
            if self._known is not None and time.time() < self._until:
                return self._known
            token, self._until = await asyncio.to_thread(self._ask)
            self._known = token
            return token

    def _ask(self) -> tuple[str, float]:
        from oauthlib.oauth2 import BackendApplicationClient
        from requests_oauthlib import OAuth2Session

        with OAuth2Session(client=BackendApplicationClient(self.client, scope=self.scope)) as session:
            found = session.fetch_token(
                self.url, client_id=self.client, client_secret=self.secret, timeout=10, verify=self.ca or True
            )
        return found["access_token"], float(found.get("expires_at", 0.0)) - _EARLY_SECONDS
