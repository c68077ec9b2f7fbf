"""Endings: the clauses that follow episodes of their contract are told which of these are over, or have opened.

Inputs that no producer sends, made of what the judge emits; what they mean is the clause's. Each has the event time at
which the episode was over, or opened, and its violation_id as event_id, so that it is the same live and in a replay.
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
from seamwatch.judging.model.judgement import ENDED, OPENED


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
        self._hearing = self._following | {name for name, kind in kinds().items() if OPENED in kind.wants}

    def are_heard_by(self, key: StateKey) -> bool:
        """Whether the clause of a key hears of endings: then time passes for it after it has heard of them."""
        state = self._states.get(key)
        return state is not None and state.kind in self._hearing

    def inputs(self, violations: Iterable[Violation]) -> Iterator[tuple[BoundClause, ForwardedEvent]]:
        """For each of these the clauses of its contract that hear of it, by the version in force then.

        What has opened is told of once a turn, however often it was emitted; a clause knows what it has heard of.
        """
        arrived = None if self._settings.replayed else self._watermarks.now
        opened = {
            violation.violation_id: violation
            for violation in violations
            if violation.kind not in self._hearing and violation.severity != DRILL  # of a drill nothing was broken
        }
        for violation in opened.values():
            for bound in self._versions.seams.wanting(OPENED, violation.system, violation.opened_at):
                if bound.seam.contract == violation.contract:
                    yield bound, _event(OPENED, violation, violation.opened_at, arrived)
        for violation in violations:
            # Of a drill nothing was broken.
            if violation.resolved_at is None or violation.kind in self._following or violation.severity == DRILL:
                continue
            for bound in self._versions.seams.wanting(ENDED, violation.system, violation.resolved_at):
                if bound.seam.contract == violation.contract:
                    yield bound, _event(ENDED, violation, violation.resolved_at, arrived)


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
