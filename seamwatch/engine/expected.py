"""Expected: inputs that no producer sends, for what is due although nothing has ever been received of it.

A declared data set is expected from the stream's first event on, or from when its contract is in force; a contract is
asked who has signed it. Both are asked once, and again after other documents or an earlier beginning. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import FAR_AHEAD, LONG_AGO, Watermarks
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import EXPECTED, IN_FORCE


class Expected:
    """What one judge expects of its documents. ``owns``: whether a system's measurements come by its partition."""

    def __init__(
        self,
        settings: JudgeSettings,
        watermarks: Watermarks,
        versions: ContractVersions,
        states: StateStore,
        owns: Callable[[str], bool] | None,
    ) -> None:
        self._settings = settings
        self._watermarks = watermarks
        self._versions = versions
        self._states = states
        self._owns = owns
        self._since = FAR_AHEAD

    def begin_again(self) -> None:
        """The documents have changed."""
        self._since = FAR_AHEAD

    def inputs(self, began_before: int | None) -> Iterator[tuple[BoundClause, ForwardedEvent]]:
        """The inputs that are due now, mostly none; each is to be judged before the next is taken.

        ``began_before``: when the stream began, as far as that was known before the measurement.
        """
        began = self._watermarks.began
        if began is None or began >= self._since:
            return
        self._since = began
        arrived = None if self._settings.replayed else self._watermarks.now
        seams, max_age = self._versions.seams, self._settings.max_age
        for bound, at in seams.beginnings(began, max_age):
            if self._owned(bound.seam.system):
                yield bound, _event(EXPECTED, bound.seam.system, at, arrived)
        # What is over was asked when it was in force, or when its backfill began; that it has ended since is known.
        reached = self._watermarks.lowest if began_before is not None and began >= began_before else LONG_AGO
        for contract, system, clause, at in seams.in_force(began, max_age, reached):
            if self._owned(system):
                asking = seams.covering(contract, system)[clause.id]
                seen = self._states.get(StateKey(contract.id, clause.id, system, "")) is not None
                if seen or (asking.seam.signing is not None and asking.seam.signing.asked):
                    yield asking, _event(IN_FORCE, system, at, arrived)

    def _owned(self, system: str) -> bool:
        return self._owns is None or self._owns(system)


def _event(kind: str, system: str, at: int, arrived: int | None) -> ForwardedEvent:
    return ForwardedEvent(kind, {"event_time": at, "event_id": "", "system": system}, arrived=arrived)
