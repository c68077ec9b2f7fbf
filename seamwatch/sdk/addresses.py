"""Addresses: which broker a service's client is to use, from the environment or a running `seamwatch up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seamwatch.broker import Broker
from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from seamwatch.settings import Settings


def found(settings: Settings, prefix: str | None) -> tuple[Settings, Broker]:
    """The settings with a broker: the one that is named, else that of a running `seamwatch up`. Raises UsageError."""
    named = settings.broker()
    if named is not None:
        return settings, named
    from seamwatch.running import running

    up = running(settings.data)
    if "kafka" not in up.told:
        raise UsageError(
            f"no broker is named: set KAFKA_BOOTSTRAP_SERVERS=host:port, or give bootstrap. {up.why}: start one"
            " with `seamwatch up`, and name its folder by SEAMWATCH_DATA"
        )
    told = settings.model_copy(update={"prefix": prefix or up.told.get("prefix", settings.prefix)})
    return told, up.broker(settings)
