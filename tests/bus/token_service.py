"""A token service of the tests: the grant of client credentials over TLS, and the keys that its tokens are checked by.

The key is made when it starts. Clients ask over TLS; the broker, which knows no authority of the tests, gets the keys
over plain HTTP on loopback.
"""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER: Final = "https://login.example.org"
AUDIENCE: Final = "kafka"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass
class TokenService:
    """What it knows, and how often each client came for a token."""

    secrets: Mapping[str, str] = field(repr=False)
    seconds: int = 3600
    """How long a token is good."""
    audience: str = AUDIENCE
    """For whom its tokens are."""
    url: str = ""
    keys_url: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    given: list[str] = field(default_factory=list, repr=False)
    """Every token: secrets, all of them."""
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)

    def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        public = self._key.public_key().public_numbers()
        numbers = {"n": _number(public.n), "e": _number(public.e)}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", **numbers}]}

    def token(self, client: str, secret: str) -> dict[str, Any] | None:
        """The answer to a client; None where the secret is not its own."""
        if self.secrets.get(client) != secret:
            return None
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": self.audience, "sub": client, "iat": now, "exp": now + self.seconds}
        parts = ({"alg": "RS256", "typ": "JWT", "kid": "one"}, claims)
        signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        self.given.append(f"{signed}.{_text(signature)}")
        self.asked[client] = self.asked.get(client, 0) + 1
        return {"access_token": self.given[-1], "token_type": "Bearer", "expires_in": self.seconds}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: TokenService) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever does not trust its certificate hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(200, self.server.service.keys())

    def do_POST(self) -> None:
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        login = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = login.partition(":")
        found = None
        if form.get("grant_type") == "client_credentials":
            found = self.server.service.token(form.get("client_id", client), form.get("client_secret", secret))
        if found is None:
            self._answer(401, {"error": "invalid_client"})
        else:
            self._answer(200, found)

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def token_service(secrets: Mapping[str, str], certificate: Path) -> Iterator[TokenService]:
    """It runs, for these clients and their secrets, with this key and certificate."""
    service = TokenService(secrets)
    tokens, keys = _Server(service), _Server(service)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    # The handshake is the thread's that answers: who hangs up in it holds up nobody else.
    tokens.socket = context.wrap_socket(tokens.socket, server_side=True, do_handshake_on_connect=False)
    service.url = f"https://127.0.0.1:{tokens.server_port}/token"
    service.keys_url = f"http://127.0.0.1:{keys.server_port}/keys"
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}) for each in (tokens, keys)]
    for thread in threads:
        thread.start()
    try:
        yield service
    finally:
        for server, thread in zip((tokens, keys), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
