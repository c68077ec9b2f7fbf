"""An HTTP service on loopback that keeps each request and answers as a test says: what a real one would be asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request: its path, its headers with small letters, its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered: a status, a JSON value, headers."""

    status: int = 200
    value: Any = None
    headers: Mapping[str, str] | None = None


class StandIn:
    """What was asked, in order; ``answer`` says what is answered."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        self.answer = answer
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def standing_in(answer: Callable[[Request], Reply] = lambda _request: Reply()) -> Iterator[StandIn]:
    """A service while the block runs."""
    stand_in = StandIn(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            stand_in.requests.append(request)
            reply = stand_in.answer(request)
            answer = json.dumps(reply.value).encode()
            self.send_response(reply.status)
            for name, value in (reply.headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
