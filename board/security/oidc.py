"""Signing in by an OpenID provider: authorization code with PKCE and nonce, by Authlib. Keeps no session.

What was asked is handed back by the browser (`board.pages.signing_in` puts it into a signed cookie), so any process of
the board can take the answer. What the provider says of itself is asked once an hour, its keys when it has new ones.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from board.security.origins import RefusedError
from seamwatch.errors import UnreachableError, UsageError
from seamwatch.settings import Settings

_SCOPE: Final = "openid email profile"
_SIGNED_BY: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""By the provider's private key only: not by the secret that both sides know, and not by nothing."""
_TIMEOUT_SECONDS: Final = 10.0
_CACHED_SECONDS: Final = 3_600.0
_LEEWAY_SECONDS: Final = 60
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where the browser goes, and what the answer must fit."""

    url: str
    state: str
    nonce: str
    verifier: str


class Provider:
    """An OpenID provider that knows the board. May be used by several threads."""

    def __init__(self, issuer: str, client_id: str, secret: str | None, claim: str, redirect: str) -> None:
        self.issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._secret = secret
        self._claim = claim
        self._redirect = redirect
        self._lock = threading.Lock()
        self._told: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked = float("-inf")

    def begin(self) -> Begun:
        """Where a browser goes to sign in. Raises UnreachableError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata()["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return Begun(str(url), state, nonce, verifier)

    def person(self, code: str, nonce: str, verifier: str) -> str:
        """The value of the claim that names the person, of who signed in.

        Raises RefusedError for an answer that does not fit or does not name anybody, UnreachableError.
        """
        try:
            with self._client() as client:
                token = client.fetch_token(
                    self._metadata()["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=self._redirect,
                )
                claims = self._claims(token, nonce)
                if self._claim not in claims and "userinfo_endpoint" in self._metadata():
                    further = client.get(self._metadata()["userinfo_endpoint"]).raise_for_status().json()
                    if further.get("sub") != claims["sub"]:
                        raise RefusedError("the provider told of somebody else than who signed in")
                    claims = {**further, **claims}
        except OAuthError as error:
            raise RefusedError(f"the provider did not let this sign-in through: {error.error}") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise self._away(error) from None
        return _named(claims, self._claim)

    def sign_out_url(self, back: str) -> str | None:
        """Where one signs out of the provider too; None where it has no such page. Raises UnreachableError."""
        page = self._metadata().get("end_session_endpoint")
        if not isinstance(page, str):
            return None
        asked = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back})
        return f"{page}{'&' if '?' in page else '?'}{asked}"

    def _claims(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """What the provider has signed of who signed in. Raises RefusedError where anything of it does not hold."""
        options = {
            "iss": {"essential": True, "value": self._metadata()["issuer"]},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        try:
            read = self._read(str(token.get("id_token", "")))
            claims = CodeIDToken(read.claims, read.header, options, params)
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, KeyError) as error:
            reason = error.error if isinstance(error, JoseError) else "it cannot be read"
            raise RefusedError(f"the provider's word of who signed in does not hold: {reason}") from None
        return dict(claims)

    def _read(self, token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=list(_SIGNED_BY), strict_check_header=False)
        try:
            return jwt.decode(token, self._key_set(), registry=registry)
        except InvalidKeyIdError:  # it signs by another key since
            return jwt.decode(token, self._key_set(anew=True), registry=registry)

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            known = self._keys
        if known is None or anew:
            known = KeySet.import_key_set(cast("Any", self._get(self._metadata()["jwks_uri"])))
            with self._lock:
                self._keys = known
        return known

    def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself."""
        with self._lock:
            if time.monotonic() - self._asked < _CACHED_SECONDS:
                return self._told
        told = self._get(f"{self.issuer}/.well-known/openid-configuration")
        needed = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        if any(not isinstance(told.get(name), str) for name in needed):
            raise UnreachableError(f"{self.issuer} does not answer as an OpenID provider")
        if told["issuer"].rstrip("/") != self.issuer:
            raise UnreachableError(f"the provider at {self.issuer} says that it is {told['issuer']}")
        with self._lock:
            self._told, self._asked, self._keys = told, time.monotonic(), None
        return told

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with httpx2.Client(timeout=_TIMEOUT_SECONDS) as client:
                told = client.get(url).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise self._away(error) from None
        return told if isinstance(told, dict) else {}

    def _client(self) -> Any:
        methods = self._metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            self._client_id,
            self._secret,
            token_endpoint_auth_method="none" if self._secret is None else method,
            scope=_SCOPE,
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
        )

    def _away(self, error: Exception) -> UnreachableError:
        why = type(error).__name__
        if isinstance(error, httpx2.HTTPStatusError):
            why = f"HTTP {error.response.status_code}"
        return UnreachableError(f"the provider {self.issuer} does not answer ({why}), so nobody can sign in by it now")


def provider_of(settings: Settings, address: str) -> Provider | None:
    """The provider that is set; None for none. Raises UsageError for half of it."""
    issuer, client_id = settings.board_oidc_issuer, settings.board_oidc_client_id
    if issuer is None and client_id is None:
        return None
    if issuer is None or client_id is None:
        raise UsageError("SEAMWATCH_BOARD_OIDC_ISSUER and SEAMWATCH_BOARD_OIDC_CLIENT_ID: set both, or neither")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError(f"SEAMWATCH_BOARD_OIDC_ISSUER={issuer}: write an address that begins with https://")
    file, secret = settings.board_oidc_client_secret_file, None
    if file is not None:
        try:
            secret = file.read_text().strip()
        except OSError as error:
            told = f"SEAMWATCH_BOARD_OIDC_CLIENT_SECRET_FILE={file}: it cannot be read ({error.strerror})"
            raise UsageError(told) from None
    return Provider(issuer, client_id, secret, settings.board_oidc_person_claim, f"{address}{CALLBACK}")


CALLBACK: Final = "/sign-in/oidc/callback"
"""Where the provider sends the browser back to; what it has to be told of the board."""


def _named(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"the provider says nothing of {claim}, so it is not known who you are")
    if claim == "email" and claims.get("email_verified") not in (True, "true"):
        raise RefusedError(f"the provider has not verified that {value} is yours, so it is not known who you are")
    return value
