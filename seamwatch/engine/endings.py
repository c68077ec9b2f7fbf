"""Endings: the clauses that follow up on episodes of their contract are told which of these are over.

Inputs that no producer sends, made of what the judge emits; what they mean is the clause's. An ending has the event
time at which the episode was over, and its violation_id as event_id, so that it is the same live and in a replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seamwatch.clauses import kinds
from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import DRILL, ForwardedEvent, Violation
from seamwatch.judging.model.judgement import ENDED


class Endings:
    """What one judge tells of episodes that are over."""

    def __init__(
        self, settings: JudgeSettings, watermarks: Watermarks, versions: ContractVersions, states: StateStore
    ) -> None:
        self._settings = settings
        self._watermarks = watermarks
        self._versions = versions
        self._states = states
        self._following = frozenset(name for name, kind in kinds().items() if ENDED in kind.wants)

    def are_heard_by(self, key: StateKey) -> bool:
        """Whether the clause of a key hears of endings: then time passes for it after it has heard of them."""
        state = self._states.get(key)
        return state is not None and state.kind in self._following

    def inputs(self, violations: Iterable[Violation]) -> Iterator[tuple[BoundClause, ForwardedEvent]]:
        """For each of these that is over the clauses of its contract that hear of it, by the version in force then."""
        arrived = None if self._settings.replayed else self._watermarks.now
        for violation in violations:
            # Of a drill nothing was broken.
            if violation.resolved_at is None or violation.kind in self._following or violation.severity == DRILL:
                continue
            for bound in self._versions.seams.wanting(ENDED, violation.system, violation.resolved_at):
                if bound.seam.contract == violation.contract:
                    yield bound, _event(violation, violation.resolved_at, arrived)


def _event(violation: Violation, at: int, arrived: int | None) -> ForwardedEvent:
    record = {
        "event_time": at,
        "event_id": violation.violation_id,
        "system": violation.system,
        "clause": violation.clause,
        "kind": violation.kind,
        "severity": violation.severity,
    }
    return ForwardedEvent(ENDED, record, arrived=arrived)
