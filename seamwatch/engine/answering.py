"""Answering: what an acknowledgement does to the episode that it names, now or once that is opened.

Whether it counts (who answers, and the signature), what becomes of the episode, and what is emitted about the answer;
and the escalation list that an episode climbs for want of one. It asks no clause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seamwatch.clauses import kinds
from seamwatch.engine.answers import Answers
from seamwatch.engine.emitted import Emitter
from seamwatch.engine.episodes import Episode, acknowledge_episode, escalate_episode
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.verdicts import verdict_of
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import ForwardedEvent, Violation
from seamwatch.judging.patterns.answered import answered, over_text, unknown_text
from seamwatch.judging.patterns.ladder import members
from seamwatch.signatures import acknowledgement_fault, relay_fault


class Answering:
    """The answers that one judge receives. ``early``: those that came before their violation was opened.

    ``climbs``: whether clocks run, in which somebody has to answer.
    """

    def __init__(self, versions: ContractVersions, states: StateStore, watermarks: Watermarks, *, climbs: bool) -> None:
        self.early = Answers()
        self._climbs = climbs
        self._versions = versions
        self._states = states
        self._watermarks = watermarks
        self._attested = frozenset[str]().union(*(kind.answers for kind in kinds().values()))

    def is_answered(self, event: ForwardedEvent) -> bool:
        """Whether it is told what an event came to: of acknowledgements, and of attestations of some kinds."""
        if event.type == "attestation":
            return event.record["kind"] in self._attested
        return event.type == "acknowledgement"

    def on_acknowledgement(self, record: Mapping[str, Any], out: Emitter) -> None:
        """An answer to a violation was received."""
        violation_id = record["reference"]
        key = self._states.of_violation(violation_id)
        state = None if key is None else self._states.get(key)
        if key is None or state is None:
            self._wait(record, out)
            return
        bound = self._versions.bound(key, state.version)
        self._change(key, state, violation_id, lambda episode: self._answer(episode, record, bound, out), out)

    def escalate(self, key: StateKey, state: KeyedState, out: Emitter) -> None:
        """Hand over to the next person what nobody has answered in time."""
        now = self._watermarks.now
        for episode in state.episodes:
            if episode.escalate_at is not None and episode.escalate_at <= now:
                violation_id = episode.violation.violation_id
                self._change(key, self._states[key], violation_id, lambda each: escalate_episode(each, now), out)

    def opened(self, episode: Episode, over: int | None, bound: BoundClause, out: Emitter) -> Episode:
        """A new episode with the answers that came before it; ``over``: when it ended, if that is found already."""
        for record in self.early.take(episode.violation.violation_id):
            if over is not None and record["event_time"] > over:
                self._emit(record, "over", over_text(record, over), bound, out)
            else:
                episode = self._answer(episode, record, bound, out)
        return episode

    def ended(self, violations: Iterable[Violation]) -> None:
        """Remember which of these are over, so that an answer to one can be told from one to what nobody opened."""
        for violation in violations:
            if violation.resolved_at is not None:
                self.early.end(violation.system, violation.violation_id, violation.resolved_at)

    def refuse(self, record: Mapping[str, Any], reason: str, summary: str, out: Emitter) -> None:
        """Say that an answer or attestation does not count, and why."""
        self._emit(record, reason, summary, None, out)

    def _wait(self, record: Mapping[str, Any], out: Emitter) -> None:
        """Keep an answer to a violation that is not open until it is opened; one to what is over changes nothing."""
        over = self.early.over_since(record["system"], record["reference"])
        if over is not None:
            self.refuse(record, "over", over_text(record, over), out)
            return
        self.early.keep(record, self._watermarks.now)
        self.refuse(record, "unknown", unknown_text(record), out)

    def _answer(self, episode: Episode, record: Mapping[str, Any], bound: BoundClause | None, out: Emitter) -> Episode:
        """The episode after an answer; ``bound``: the clause in force, whose list may answer as well."""
        person = record["person"]
        if record["system"] != episode.violation.system:
            # Elsewhere it would not have been found: judges are parted by system.
            self._emit(record, "unknown", unknown_text(record), None, out)
            return episode
        fault = self._fault(record)
        if fault is not None:
            self._emit(record, *fault, bound, out)
            return episode
        also = () if bound is None else members(bound.seam.escalation)
        at, now = int(record["event_time"]), self._watermarks.now
        after, reason, summary = acknowledge_episode(
            episode, person, record["answer"], at, now, climbs=self._climbs, also=also
        )
        self._emit(record, reason, summary, bound, out)
        return after

    def _fault(self, record: Mapping[str, Any]) -> tuple[str, str] | None:
        """Why an answer does not bind whom it names; one that is relayed is the relay's to sign."""
        seams, relay = self._versions.seams, record.get("relayed_by")
        if relay is None:
            return acknowledgement_fault(record, seams.keys_of(record["person"]))
        return relay_fault(record, seams.keys_of_relay(relay))

    def _change(
        self,
        key: StateKey,
        state: KeyedState,
        violation_id: str,
        change: Callable[[Episode], Episode],
        out: Emitter,
    ) -> None:
        episodes = []
        for episode in state.episodes:
            changed = change(episode) if episode.violation.violation_id == violation_id else episode
            if changed.violation != episode.violation:
                out.violations.append(changed.violation)
            episodes.append(changed)
        self._states.put(key, state._replace(episodes=tuple(episodes)))

    def _emit(
        self, record: Mapping[str, Any], reason: str, summary: str, bound: BoundClause | None, out: Emitter
    ) -> None:
        if record["event_id"]:
            found = answered(record, reason, summary)
            out.add_verdict(verdict_of(found, record["system"], bound, self._watermarks.now))
