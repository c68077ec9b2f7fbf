"""A guard with a clock in the test's hand and an emitter that keeps what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seamwatch.durations import parse_duration
from seamwatch.guard import Guard
from seamwatch.testing import RecordingEmitter
from tests.clauses.history import T0, contract, estate_of


@dataclass
class HandClock:
    """Shows what it was set to."""

    time: int = T0

    def now(self) -> int:
        return self.time

    def at(self, wall: int) -> int:
        return wall

    def pass_(self, duration: str) -> None:
        self.time += parse_duration(duration)


@dataclass
class Scene:
    """A guard of system `agent` by these clauses (YAML of the list, or None for no contract)."""

    clauses: str | None
    options: dict[str, Any] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.estate = estate_of(*([] if self.clauses is None else [contract("agent", self.clauses)]))
        self.emitter = RecordingEmitter("agents", clock=self.clock)
        given: dict[str, Any] = {"version": "v1", "emitter": self.emitter, **self.options}
        self.guard = Guard(self.estate, system="agent", **given)

    @property
    def reported(self) -> list[dict[str, Any]]:
        """The records that were reported, oldest first."""
        return [record for _, record in self.emitter.records]
