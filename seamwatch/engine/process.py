"""The process: what the judge does for one key when an input is received for it, and when its timer is due.

An input is judged at once, or waits: for its turn among others of a backfill, or for its version to come into force.
When time has passed, what waited is judged, the clause is asked, and the next version takes over.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from seamwatch.documents.estate import END
from seamwatch.engine import unjudged
from seamwatch.engine.answering import Answering
from seamwatch.engine.emitted import Emitter
from seamwatch.engine.evaluation import Evaluation
from seamwatch.engine.event_time import EventTime, first_time, last_time
from seamwatch.engine.eviction import Eviction
from seamwatch.engine.handover import too_many_early, with_early
from seamwatch.engine.keyed_state import KeyedState, StateKey, WaitingEvent
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.spent import still_spent
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import LONG_AGO, Watermarks
from seamwatch.judging.model.facts import Fact, ForwardedEvent
from seamwatch.judging.model.judgement import TimePassed
from seamwatch.judging.patterns.windows import earliest

IN_ORDER = attrgetter("window_start", "first_time")
"""The order in which facts are judged."""
_TURN = attrgetter("turn")


class KeyedProcess:
    """Judges inputs and timers, each for its key."""

    def __init__(
        self,
        settings: JudgeSettings,
        watermarks: Watermarks,
        event_time: EventTime,
        versions: ContractVersions,
        states: StateStore,
        answering: Answering,
        evaluation: Evaluation,
        eviction: Eviction,
    ) -> None:
        self._settle = settings.settle
        self._watermarks = watermarks
        self._event_time = event_time
        self._versions = versions
        self._states = states
        self._timers = states.timers
        self._answering = answering
        self._evaluation = evaluation
        self._eviction = eviction

    # Inputs

    def on_input(
        self, bound: BoundClause, received: Fact | ForwardedEvent, out: Emitter, part: str | None = None
    ) -> None:
        """Judge an input by a clause; ``part``: for which of its states, where the clause does not say so itself."""
        part = unjudged.part_of(bound.clause, received) if part is None else part
        if part is None:
            return
        key = StateKey(bound.seam.contract, bound.clause.id, bound.seam.system, part)
        before = self._states.get(key)
        if before is None and self._versions.is_undeclared(key):
            admitted = self._eviction.admit(bound, received, out)
            if admitted is None:
                return
            bound, key = admitted, key._replace(system=admitted.seam.system)
            received = replace(received, system=key.system) if isinstance(received, Fact) else received
            before = self._states.get(key)
        state = before
        if state is None or state.idle:
            state = self._begun(key, bound, received)._replace(spent=() if before is None else before.spent)
        self._receive(key, state, bound, received, out)
        if before is None:
            self._eviction.make_room(key, bound.clause.most_parts, received, out)

    def _receive(
        self, key: StateKey, state: KeyedState, bound: BoundClause, received: Fact | ForwardedEvent, out: Emitter
    ) -> None:
        """Judge it now, or keep it until it can be judged."""
        version = bound.seam.contract_version
        of_later = version != state.version and first_time(received) >= state.until
        state = self._noted(state, bound, received, of_later=of_later)
        in_turn = isinstance(received, ForwardedEvent) and received.type not in bound.clause.at_once
        if isinstance(received, ForwardedEvent) and ((in_turn and (state.backfill or state.waiting)) or of_later):
            # It is judged in its turn: what came before it may be read later, from another partition or topic.
            waiting = WaitingEvent(received, version, self._watermarks.now + self._settle)
            self._states.put(key, state._replace(waiting=tuple(sorted((*state.waiting, waiting), key=_TURN))))
        elif of_later and isinstance(received, Fact):
            self._states.put(key, state._replace(early=with_early(state.early, received, bound)))
        elif state.backfill:
            # No time passes with an input of a backfill: how far it has got is asked when it has settled.
            state = self._evaluation.evaluate(key, state, bound, received, LONG_AGO, out)
            wake = earliest(state.wake, self._watermarks.now + self._settle)
            self._states.put(key, state._replace(wake=wake))
        else:
            self._evaluation.evaluate(key, state, bound, received, self._event_time.reached(state), out)

    def _noted(
        self, state: KeyedState, bound: BoundClause, received: Fact | ForwardedEvent, *, of_later: bool
    ) -> KeyedState:
        """The state with the time at which something was received; ``of_later``: for a later version."""
        backfill = self._event_time.is_backfill(state, received)
        last = max(state.last, last_time(received))
        if of_later:
            return state._replace(backfill=backfill, last=last)
        # What comes when another version is due does not put that off.
        due = state.until != END and self._event_time.reached(state) >= state.until
        received_at = state.received_at if due else self._watermarks.now
        return state.received(last, received_at, backfill=backfill, of_outcomes="outcome" in bound.clause.sources())

    def _begun(self, key: StateKey, bound: BoundClause, received: Fact | ForwardedEvent) -> KeyedState:
        """A new state, by the version that is in force where its event time stands."""
        kind = unjudged.kind_of(bound.clause, key.part)
        begun = KeyedState(
            kind, bound.seam.contract_version, received_at=self._watermarks.now, last=last_time(received)
        )

        def reached() -> int:
            state = self._versions.by_version(key, begun)
            backfill = self._event_time.is_backfill(state, received)
            of_outcomes = "outcome" in bound.clause.sources()
            return self._event_time.reached(state._replace(backfill=backfill, of_outcomes=of_outcomes))

        return self._versions.begun(key, begun, first_time(received), reached)

    def on_end(self, out: Emitter) -> None:
        """The input is over for good: the clauses that wait for more to follow are asked a last time."""
        for key, state in sorted(self._states.items()):
            bound = self._versions.bound(key, state.version)
            if bound is not None and bound.clause.ends_with_input:
                reached = self._event_time.reached(state)
                self._evaluation.evaluate(key, state, bound, TimePassed(ended=True), reached, out)

    # Timers

    def on_timer(self, key: StateKey, out: Emitter) -> None:
        """Let time pass for a key whose timer is due: for one version after the other, as far as time has got."""
        state = self._states.get(key)
        if state is None:
            return
        if state.episodes:
            self._answering.escalate(key, state, out)
        while self._pass_time(key, out):
            pass

    def _pass_time(self, key: StateKey, out: Emitter) -> bool:
        """Let time pass for as long as one version is in force; whether another one has taken over."""
        state = self._states[key]
        event_time = self._event_time.reached(state)
        if state.spent and (spent := still_spent(state.spent, event_time)) != state.spent:
            state = state._replace(spent=spent)
            self._states.put(key, state)
        if state.idle:
            return False
        over = event_time >= state.until or too_many_early(state.early)
        bound = self._versions.bound(key, state.version)
        if bound is None and state.version and not over:
            # What waits for a later version, which may have the clause again, goes on waiting.
            self._states.put(key, self._evaluation.end(key, state, self._watermarks.now, None, out))
            return False
        if bound is not None:
            state = self._ask_again(key, state, bound, min(event_time, state.until - 1), out)
        if not over or key not in self._states:
            return False
        settled = state.received_at + self._settle
        if bound is not None and self._watermarks.now < settled and not too_many_early(state.early):
            # What belongs to the former version may still be on its way.
            self._timers.at(settled, key)
            return False
        self._hand_over(key, state, out)
        return key in self._states

    def _ask_again(
        self, key: StateKey, state: KeyedState, bound: BoundClause, reached: int, out: Emitter
    ) -> KeyedState:
        """Judge what waited, then the time that has passed, up to an event time; the state then."""
        now = self._watermarks.now
        if state.waiting:
            state = self._judge_waiting(key, bound, reached, out)
        if state.waiting:
            # No time passes beyond what waits still.
            reached = min(reached, state.waiting[0].turn[0] - 1)
        asked = state.deadline is not None and state.deadline <= reached
        if asked or (state.wake is not None and state.wake <= now):
            return self._evaluation.evaluate(key, state, bound, TimePassed(), reached, out)
        if state.backfill and now < state.backfill_until:
            self._timers.at(state.backfill_until, key)
        return state

    def _judge_waiting(self, key: StateKey, bound: BoundClause, reached: int, out: Emitter) -> KeyedState:
        """Judge the events whose turn has come; the state then."""
        state, now = self._states[key], self._watermarks.now
        while state.waiting:
            first, *rest = state.waiting
            at = first.turn[0]
            if first.ready > now or at > reached:
                # It may settle after what stands behind it, and a backfill may fall back behind it.
                self._timers.at(max(first.ready, now + self._settle), key)
                break
            by = self._versions.bound(key, first.version) or bound
            if state.deadline is not None and state.deadline < at:
                state = self._evaluation.evaluate(key, state, bound, TimePassed(), at - 1, out)
            state = state._replace(waiting=tuple(rest))
            if state.until != END:
                state = state._replace(received_at=now)
            state = self._evaluation.evaluate(key, state, by, first.event, at - 1, out)
        return state

    def _hand_over(self, key: StateKey, state: KeyedState, out: Emitter) -> None:
        """Another version comes into force for the key, and judges the facts that have waited for it."""
        now = self._watermarks.now
        successor = self._versions.successor(key, state, self._event_time.reached(state), now)
        version, after = successor.version, successor.bound
        if successor.over:
            state = self._evaluation.end(key, state, successor.at, successor.why, out)
        its = [fact for fact in state.early if fact.contract_version == version]
        others = tuple(fact for fact in state.early if fact.contract_version != version)
        kind = state.kind if after is None else unjudged.kind_of(after.clause, key.part)
        last = max(state.last, successor.start)
        state = state._replace(kind=kind, version=version, early=others, last=last)
        state = self._versions.by_version(key, state)._replace(until=successor.end)
        self._states.put(key, state)
        if after is None:
            return
        watermark = LONG_AGO if state.backfill else successor.start - 1
        for fact in sorted(its, key=IN_ORDER):
            state = self._evaluation.evaluate(key, state, after, fact, watermark, out)
        received_at = now if its else state.received_at
        self._states.put(key, state._replace(received_at=received_at, wake=now))
