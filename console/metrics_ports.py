"""Where the stages of `up` show their metrics: a port each, from the one that is set on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seamwatch.errors import UsageError
from seamwatch.settings import Settings
from stack.folder import is_free

_LAST_PORT: Final = 65_535


def metrics_ports(settings: Settings, stages: Sequence[str]) -> dict[str, str]:
    """Host and port of each stage's metrics: the port that is set for the first, the next for the second, and so on.

    Empty when no port is set. Raises UsageError when one of them is none, or cannot be had.
    """
    first, host = settings.metrics_port, settings.metrics_host
    if first is None:
        return {}
    last = first + len(stages) - 1
    if last > _LAST_PORT:
        raise UsageError(f"SEAMWATCH_METRICS_PORT={first}: {len(stages)} ports are needed from it on: name a lower one")
    for name, port in zip(stages, range(first, last + 1), strict=True):
        if not is_free(port, host):
            raise UsageError(
                f"SEAMWATCH_METRICS_PORT={first}: {host}:{port}, where {name} would show its metrics, is taken by "
                f"another program, or is no address of this machine; {first} to {last} are needed: name another"
            )
    shown = f"[{host}]" if ":" in host else host
    return {name: f"{shown}:{first + number}" for number, name in enumerate(stages)}
