"""A stand-in for services: HTTP that a test answers as it likes, served on a port of its own by a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from seamwatch.listening import listen
from tests.waiting import PATIENCE, wait_for


@contextmanager
def served(routes: Sequence[BaseRoute]) -> Iterator[str]:
    """Serve routes; the address, without a path."""
    listening = listen("127.0.0.1", 0, "TEST")
    config = uvicorn.Config(
        Starlette(routes=routes), log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the stand-in", every=0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()
