"""Evaluation: one clause is asked about one input, and what it finds becomes of the key's state and episodes.

Which clause is asked, and when, is `seamwatch.engine.process`'s.
"""

from __future__ import annotations

from seamwatch.engine import unjudged
from seamwatch.engine.answering import Answering
from seamwatch.engine.emitted import Emitter
from seamwatch.engine.episodes import resolve_episode
from seamwatch.engine.event_time import EventTime
from seamwatch.engine.following import follow, spent_by
from seamwatch.engine.handover import begins_anew
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.late import LateCount
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.spent import REMEMBERED
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import LONG_AGO, Watermarks
from seamwatch.engine.withdrawn import ending, notices_of
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Input, Judgement, Moment, Resolve


class Evaluation:
    """Asks clauses, and keeps what comes of it. ``late``: what came too late to change it."""

    def __init__(
        self,
        settings: JudgeSettings,
        watermarks: Watermarks,
        event_time: EventTime,
        versions: ContractVersions,
        states: StateStore,
        answering: Answering,
    ) -> None:
        self._settings = settings
        self._watermarks = watermarks
        self._event_time = event_time
        self._versions = versions
        self._states = states
        self._answering = answering
        self.late = LateCount()

    def evaluate(
        self,
        key: StateKey,
        state: KeyedState,
        bound: BoundClause,
        received: Input,
        watermark: int,
        out: Emitter,
    ) -> KeyedState:
        """Ask the clause about an input, at an event time; the state then, which is kept."""
        own = bound.seam.contract_version == state.version
        if not own and self._says_nothing(key, state, bound):
            if not unjudged.is_part(key.part):
                self.late.add(bound, received.count if isinstance(received, Fact) else 1)
            self._states.put(key, state)
            return state
        kind = unjudged.kind_of(bound.clause, key.part)
        judgement = self._ask(kind, key, state, bound, received, watermark)
        if judgement.late:
            self.late.add_judged(bound, received, judgement.late)
        episodes, spent = state.episodes, state.spent
        if judgement.findings:
            remembered = self._remembered(key)
            followed = follow(
                episodes,
                self._versions.finder(bound),
                judgement.findings,
                self._event_time.found_at(received),
                out,
                lambda episode, over: self._answering.opened(episode, over, bound, out),
                climbs=self._settings.climbs,
                spent=spent,
                remembered=remembered,
            )
            episodes, spent = followed.episodes, followed.spent if remembered != 0 else ()
        # Time is judged by the version in force: after another one it is asked again, at once.
        wake = judgement.wake if own else self._watermarks.now
        after = state.judged(kind, judgement.state, episodes, judgement.deadline, wake, spent)
        self._states.put(key, after)
        return after

    def end(self, key: StateKey, state: KeyedState, at: int, why: str | None, out: Emitter) -> KeyedState:
        """The state when its clause binds no longer: what is open of it is over. ``why``: None if withdrawn.

        Then whoever was paged is told, since nobody found that what was agreed holds again.
        """
        remembered, spent = self._remembered(key), state.spent
        for episode in state.episodes:
            withdrawn = self._versions.seams.withdrawn(key.contract, state.version)
            said = ending(episode, withdrawn) if why is None else why
            over = resolve_episode(episode, Resolve("breach", episode.key, at, summary=said))
            out.violations.append(over)
            if why is None:
                out.notices.extend(notices_of(episode, over, self._watermarks.now))
            if remembered != 0:
                spent = spent_by(episode, over, spent, remembered)
        return state._replace(of_clause=None, episodes=(), deadline=None, wake=None, spent=spent)

    def _says_nothing(self, key: StateKey, state: KeyedState, bound: BoundClause) -> bool:
        """Whether the clause is of a version that is over, and what it counts says nothing to the one in force."""
        by = self._versions.bound(key, state.version)
        return by is None or begins_anew(bound, by, key.part)

    def _ask(
        self, kind: str, key: StateKey, state: KeyedState, bound: BoundClause, received: Input, watermark: int
    ) -> Judgement:
        of_clause = state.of_clause if state.kind == kind else None
        horizon = LONG_AGO if isinstance(received, Fact) else self._event_time.horizon(received)
        moment = Moment(self._watermarks.now, watermark, self._settings.settle, horizon, key.part or None)
        if kind == unjudged.KIND:
            return unjudged.judge(bound.clause, bound.seam, of_clause, received, moment)
        return bound.clause.judge(bound.seam, of_clause, received, moment)

    def _remembered(self, key: StateKey) -> int | None:
        """For how long the names of episodes that are over are: of undeclared systems, which must make room, not."""
        if self._versions.is_undeclared(key):
            return 0
        return REMEMBERED if key.part and key.part[0] != "\x00" else None
