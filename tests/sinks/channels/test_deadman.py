"""The sign of life: one request, and in words without its secret why it was not taken."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seamwatch.errors import UnreachableError, UsageError
from seamwatch.settings import load_settings
from sinks.channels.deadman import DeadMan


class Outside:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.port = 0


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_a_sign_of_life_asks_the_address(outside: Outside) -> None:
    asyncio.run(DeadMan(f"http://127.0.0.1:{outside.port}/ping/hunter2")())
    assert outside.asked == ["/ping/hunter2"]


def test_one_that_is_not_taken_says_why_and_where_and_no_more(outside: Outside) -> None:
    outside.status = 404
    with pytest.raises(UnreachableError, match=r"HTTP 404 from 127\.0\.0\.1$"):
        asyncio.run(DeadMan(f"http://127.0.0.1:{outside.port}/ping/hunter2")())
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1: Connection refused$"):
        asyncio.run(DeadMan(f"http://127.0.0.1:{port}/ping/hunter2")())


@pytest.mark.parametrize("url", ["ftp://user:hunter2@example.org", "hunter2", "file:///etc/passwd", "https://"])
def test_an_address_that_is_none_is_refused_and_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMWATCH_DEADMAN_URL", url)
    with pytest.raises(
        UsageError, match=r"^SEAMWATCH_DEADMAN_URL: write an address that starts with https://"
    ) as caught:
        load_settings()
    assert caught.value.__cause__ is None
    monkeypatch.setenv("SEAMWATCH_DEADMAN_URL", "https://hc.example.org/hunter2")
    assert "hunter2" not in repr(load_settings())
