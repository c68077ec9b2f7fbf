"""Planned events of the demo: what is to be published, and when. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.demo.identities import event_id


@dataclass(frozen=True, slots=True)
class Planned:
    """One event to be published at ``at``; ``record`` holds its fields, event_time among them."""

    at: int
    type: str
    record: dict[str, Any]


def event(name: str, record_type: str, when: int, producer: str, record: dict[str, Any]) -> Planned:
    """The event ``name`` (which makes its id) of a producer at ``when`` (microseconds)."""
    head = {"event_id": event_id(name, when), "event_time": when, "producer": producer, "environment": "demo"}
    return Planned(when, record_type, head | record)
