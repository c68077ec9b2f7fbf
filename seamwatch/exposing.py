"""Exposing: a stage's metrics for Prometheus to fetch, where the settings say; nothing without a port."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LOOPBACK: Final = "127.0.0.1"


def expose(registry: CollectorRegistry, port: int | None, host: str = LOOPBACK, further: int = 0) -> None:
    """Serve the metrics of a registry on ``host:port``, or the first of so many ``further`` ports that nobody has.

    Does nothing when the port is None. Raises UsageError, which names the setting, when the address cannot be had.
    """
    if port is None:
        return
    from prometheus_client import ProcessCollector, start_http_server

    # When it started, its memory and files, by the names that every process shows them: a restart is a later start.
    ProcessCollector(registry=registry)
    for tried in range(port, port + further + 1):
        try:
            start_http_server(tried, addr=host, registry=registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and tried < port + further:
                continue
            raise _unusable(error, port, host, further) from error
        return


def _unusable(error: OSError, port: int, host: str, further: int) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        taken = f"{host}:{port} is" if not further else f"{host}:{port} to {port + further} are"
        return UsageError(
            f"SEAMWATCH_METRICS_PORT={port}: {taken} taken by another program: "
            "set another, and one of its own for each stage on a machine"
        )
    return UsageError(
        f"SEAMWATCH_METRICS_HOST={host}, SEAMWATCH_METRICS_PORT={port}: metrics cannot be shown there "
        f"({error.strerror or error}): name an address of this machine"
    )
