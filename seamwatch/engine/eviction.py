"""Eviction: how the state of slices and of undeclared systems makes room when there are too many of them.

What is over by then ends as it would have; what goes on is ended, and counted.
"""

from __future__ import annotations

from seamwatch.engine.emitted import Emitter
from seamwatch.engine.evaluation import Evaluation
from seamwatch.engine.event_time import last_time
from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import TimePassed

TOO_MANY = "followed no longer, since too many others of the same clause came after it"


class Eviction:
    """Makes room in the state store. ``evicted``: how many states were still going on."""

    def __init__(self, versions: ContractVersions, states: StateStore, evaluation: Evaluation) -> None:
        self._versions = versions
        self._states = states
        self._evaluation = evaluation
        self.evicted = 0

    def admit(self, bound: BoundClause, received: Fact | ForwardedEvent, out: Emitter) -> BoundClause | None:
        """The clause as it binds an undeclared system, or all beyond those with room; None: it is not judged."""
        kind, system, at = bound.clause.kind_name, bound.seam.system, last_time(received)
        undeclared = self._states.undeclared
        if not undeclared.has_room(kind, system):
            for silent in undeclared.silent(at):
                self._evict(silent, at, out)
        if undeclared.has_room(kind, system):
            return bound
        return self._versions.seams.of_others(bound.clause, at)

    def make_room(self, key: StateKey, most: int, received: Fact | ForwardedEvent, out: Emitter) -> None:
        """Evict of the slices of the same clause and system, when there are more than so many."""
        for oldest in self._states.too_many(key, most):
            reached = received.window_start if isinstance(received, Fact) else last_time(received)
            self._evict(oldest, reached, out)

    def _evict(self, key: StateKey, reached: int, out: Emitter) -> None:
        state = self._states[key]
        bound = self._versions.bound(key, state.version)
        if bound is not None:
            state = self._evaluation.evaluate(key, state, bound, TimePassed(), reached, out)
        if state.empty:
            return
        if not state.idle:
            self.evicted += 1
            state = self._evaluation.end(key, state, state.last, f"{key.system}: {TOO_MANY}", out)
        self._states.put(key, state._replace(waiting=(), early=(), spent=()))
