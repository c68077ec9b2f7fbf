"""Serving: the board as processes that listen, until they are told to end. What they show is `board.app`'s."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from board.addresses import address_of
from board.app import make_app
from board.context import context_of
from board.security.sessions import secret_of
from seamwatch.exposing import expose
from seamwatch.listening import listen
from seamwatch.settings import Settings, load_settings

log = structlog.get_logger(__name__)

_GRACE_SECONDS: Final = 2
_HUNG_SECONDS: Final = 30
"""A process that does not answer for so long is started again; to start takes some seconds by itself."""
_ADDRESS: Final = "SEAMWATCH_BOARD_URL"


def run(settings: Settings) -> None:
    """Serve until SIGTERM. Raises UsageError for an address that cannot be had, or settings that cannot be used."""
    secret_of(settings)  # made once, before several read it
    listening = listen(settings.board_host, settings.board_port, "SEAMWATCH_BOARD")
    address = settings.board_url or address_of(*listening.getsockname()[:2])
    log.info("the board is served", address=address, processes=settings.board_processes)
    if settings.board_processes == 1:
        uvicorn.Server(_config(_shown(made(settings, address), settings))).run(sockets=[listening])
        return
    made(settings, address)  # what cannot be used is told once, here
    os.environ[_ADDRESS] = address  # which the others cannot find out
    config = _config(
        "board.serving:application",
        factory=True,
        workers=settings.board_processes,
        timeout_worker_healthcheck=_HUNG_SECONDS,
    )
    Multiprocess(config, sockets=[listening]).run()


def made(settings: Settings, address: str) -> FastAPI:
    """The application of a process."""
    return make_app(context_of(settings, address))


def application() -> FastAPI:
    """The application of one of several processes, each of which is started by `run` and ends with it."""
    from seamwatch.log import configure

    settings = load_settings()
    configure(settings, "board")
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    assert settings.board_url is not None
    return _shown(made(settings, settings.board_url), settings)


def _shown(app: FastAPI, settings: Settings) -> FastAPI:
    """The application, whose metrics are shown where the settings say: several processes have ports one by one."""
    further = settings.board_processes - 1
    expose(app.state.metrics.registry, settings.metrics_port, settings.metrics_host, further)
    return app


def _config(app: FastAPI | str, **further: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # paths hold ids of people's decisions, and the one-time token of a link
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        # What a proxy says of who asks is not believed: the address that people open is set, the rest is not used.
        proxy_headers=False,
        forwarded_allow_ips="",
        **further,
    )


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
