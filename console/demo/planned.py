"""Planned events of the demo: what is to be published, and when. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from console.demo.identities import event_id
from seamwatch.wire.events import Event

ENVIRONMENT = "demo"


@dataclass(frozen=True, slots=True)
class Planned:
    """One event, to be published at ``at`` (microseconds), which is its event time too."""

    at: int
    event: Event

    def delayed(self, until: int) -> Planned:
        """The same event at a later time, on data of the same age: a slow machine makes no data stale."""
        later: dict[str, Any] = {"event_time": until}
        if isinstance(data_as_of := getattr(self.event, "data_as_of", None), int):
            later["data_as_of"] = data_as_of + until - self.at
        return Planned(until, replace(self.event, **later))


def planned(make: Callable[..., Event], name: str, when: int, producer: str, fields: dict[str, Any]) -> Planned:
    """The event ``name`` (which makes its id) of a producer at ``when`` (microseconds)."""
    event = make(event_id=event_id(name, when), event_time=when, producer=producer, environment=ENVIRONMENT, **fields)
    return Planned(when, event)
