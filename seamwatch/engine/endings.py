"""Endings: the clauses that follow episodes of their contract are told which of these are over, or have opened.

Inputs that no producer sends, made of what the judge emits; what they mean is the clause's. Each has the event time at
which the episode was over, or opened, and its violation_id as event_id, so that it is the same live and in a replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from seamwatch.clauses import kinds
from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import DRILL, ForwardedEvent, Violation
from seamwatch.judging.model.judgement import ENDED, OPENED

TOLD: Final = (OPENED, ENDED)
"""What is told of episodes, in the order of a turn: what is found of those that opened may be over in it."""


class Endings:
    """What one judge tells of episodes that are over."""

    def __init__(
        self, settings: JudgeSettings, watermarks: Watermarks, versions: ContractVersions, states: StateStore
    ) -> None:
        self._settings = settings
        self._watermarks = watermarks
        self._versions = versions
        self._states = states
        self._wanting = {what: frozenset(name for name, kind in kinds().items() if what in kind.wants) for what in TOLD}

    def are_heard_by(self, key: StateKey, what: str) -> bool:
        """Whether the clause of a key hears of such: then time passes for it after it has heard of them."""
        state = self._states.get(key)
        return state is not None and state.kind in self._wanting[what]

    def inputs(self, what: str, violations: Iterable[Violation]) -> Iterator[tuple[BoundClause, ForwardedEvent]]:
        """For each of these that is over, or has opened, the clauses of its contract that hear of it.

        By the version in force then. What has opened is told of once a turn, however often it was emitted: a clause
        knows what it has heard of. Nobody hears of those of a kind that hears of such itself.
        """
        arrived = None if self._settings.replayed else self._watermarks.now
        if what == OPENED:
            violations = {violation.violation_id: violation for violation in violations}.values()
        for violation in violations:
            at = violation.opened_at if what == OPENED else violation.resolved_at
            # Of a drill nothing was broken.
            if at is None or violation.kind in self._wanting[what] or violation.severity == DRILL:
                continue
            for bound in self._versions.seams.wanting(what, violation.system, at):
                if bound.seam.contract == violation.contract:
                    yield bound, _event(what, violation, at, arrived)


def _event(what: str, violation: Violation, at: int, arrived: int | None) -> ForwardedEvent:
    record = {
        "event_time": at,
        "event_id": violation.violation_id,
        "system": violation.system,
        "clause": violation.clause,
        "kind": violation.kind,
        "severity": violation.severity,
        "unit": violation.unit,
    }
    return ForwardedEvent(what, record, arrived=arrived)
