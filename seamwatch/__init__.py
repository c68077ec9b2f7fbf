"""The language of Seamwatch: contracts, clauses, events, signatures and the producer's SDK.

What a producer service needs is here by name, loaded when it is first used: importing this package costs next to
nothing, and none of it brings polars, chDB, Faust or Java.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seamwatch.configuration import config_digest
    from seamwatch.errors import SeamwatchError
    from seamwatch.sdk.delivery import Counts, Delivery
    from seamwatch.sdk.emitter import Emitter
    from seamwatch.wire.events import (
        Acknowledgement,
        Attestation,
        ConfigChange,
        DatasetRefresh,
        Event,
        Inference,
        Outcome,
        Signature,
        Suspension,
        ToolCall,
    )

_HOMES = {
    "Acknowledgement": "seamwatch.wire.events",
    "Attestation": "seamwatch.wire.events",
    "ConfigChange": "seamwatch.wire.events",
    "Counts": "seamwatch.sdk.delivery",
    "DatasetRefresh": "seamwatch.wire.events",
    "Delivery": "seamwatch.sdk.delivery",
    "Emitter": "seamwatch.sdk.emitter",
    "Event": "seamwatch.wire.events",
    "Inference": "seamwatch.wire.events",
    "Outcome": "seamwatch.wire.events",
    "SeamwatchError": "seamwatch.errors",
    "Signature": "seamwatch.wire.events",
    "Suspension": "seamwatch.wire.events",
    "ToolCall": "seamwatch.wire.events",
    "config_digest": "seamwatch.configuration",
}

__all__ = [
    "Acknowledgement",
    "Attestation",
    "ConfigChange",
    "Counts",
    "DatasetRefresh",
    "Delivery",
    "Emitter",
    "Event",
    "Inference",
    "Outcome",
    "SeamwatchError",
    "Signature",
    "Suspension",
    "ToolCall",
    "config_digest",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'seamwatch' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
