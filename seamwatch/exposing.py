"""Exposing: a stage's metrics for Prometheus to fetch, where the settings say; nothing without a port."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LOOPBACK: Final = "127.0.0.1"


def expose(registry: CollectorRegistry, port: int | None, host: str = LOOPBACK) -> None:
    """Serve the metrics of a registry on ``host:port``; does nothing when the port is None.

    Raises UsageError, which names the setting, when the address cannot be had.
    """
    if port is None:
        return
    from prometheus_client import ProcessCollector, start_http_server

    # When it started, its memory and files, by the names that every process shows them: a restart is a later start.
    ProcessCollector(registry=registry)
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"SEAMWATCH_METRICS_PORT={port}: {host}:{port} is taken by another program: "
                "set another, and one of its own for each stage on a machine"
            ) from error
        raise UsageError(
            f"SEAMWATCH_METRICS_HOST={host}, SEAMWATCH_METRICS_PORT={port}: metrics cannot be shown there "
            f"({error.strerror or error}): name an address of this machine"
        ) from error
