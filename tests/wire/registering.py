"""A schema registry of the tests, with basic authentication, over TLS where it is given a certificate."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Registry(ThreadingHTTPServer):
    """A registry in memory, with the calls it got; lets in one user."""

    daemon_threads = True

    def __init__(self, user: str = "user", password: str = "secret") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.schemas: dict[int, str] = {}
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever does not trust its certificate hangs up."""


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.calls.append(self.path)
        found = self.server.schemas.get(int(self.path.rpartition("/")[2]))
        self.answer(200, {"schema": found}) if found else self.answer(404, {"error_code": 40403})

    def do_POST(self) -> None:
        self.server.calls.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = [number for number, schema in self.server.schemas.items() if schema == body["schema"]]
        schema_id = known[0] if known else len(self.server.schemas) + 100
        self.server.schemas[schema_id] = body["schema"]
        self.answer(200, {"id": schema_id})

    def answer(self, status: int, body: object) -> None:
        status = status if self.headers["Authorization"] == self.server.login else 401
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def registering(server: Registry, certificate: Path | None = None) -> Iterator[Registry]:
    """It answers, by TLS where there is a file of a key and its certificate."""
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
