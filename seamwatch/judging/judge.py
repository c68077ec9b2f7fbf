"""The judge: every clause of an estate over one partition of measurements.

Pure but for the state it holds in memory: given the same estate, restored state and measurements it gives the same
violations with the same ids. It reads no clock (time comes with the measurements), no topic and no table; its host
restores it, feeds it, and keeps what is dirty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.durations import DAY, SECOND
from seamwatch.judging.agenda import Agenda
from seamwatch.judging.crowd import Crowd
from seamwatch.judging.entries import Entry, EntryKey, Waiting, read_entry, write_entry
from seamwatch.judging.episodes import (
    Episode,
    acknowledge_episode,
    escalate_episode,
    notice_of,
    open_episode,
    resolve_episode,
    update_episode,
)
from seamwatch.judging.facts import Fact, ForwardedEvent, Measurement, Notice, Violation
from seamwatch.judging.judgement import Finding, Happening, Moment, Open, Resolve, TimePassed
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.judging.strangers import Strangers
from seamwatch.judging.stream_time import LONG_AGO, StreamTime
from seamwatch.judging.windows import earliest
from seamwatch.signatures import acknowledgement_counts

TOO_MANY = "followed no longer, since too many others of the same clause came after it"


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How a host wants its stream judged (micros).

    - ``lateness``: how much later than its time an event may be measured and still belong to its window.
    - ``settle``: how long neighbours on other partitions and topics may still be on their way.
    - ``max_age``: a rare event that arrives later than this after its own time is history and opens nothing.
    - ``climbs``: whether unacknowledged episodes climb the escalation list (not in a replay, which pages nobody).
    - ``history``: whether violations are dated by the history's own clock (when they could first be known) rather
      than by the flush they came with.
    - ``default_owner``: the person who must act where no contract and no document names one.
    """

    lateness: int = 5 * SECOND
    settle: int = 2 * SECOND
    max_age: int = DAY
    climbs: bool = True
    history: bool = False
    default_owner: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What one measurement led to, in order."""

    violations: tuple[Violation, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(slots=True)
class _Told:
    violations: list[Violation] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


class Judge:
    """Judges one partition of measurements; see the module for what it promises."""

    def __init__(self, estate: Estate, settings: JudgeSettings | None = None) -> None:
        self._settings = settings or JudgeSettings()
        self._seams = Seams(estate, self._settings.default_owner)
        self._time = StreamTime()
        self._agenda = Agenda(self._settings.lateness)
        self._entries: dict[EntryKey, Entry] = {}
        self._episodes: dict[str, EntryKey] = {}
        self._dirty: set[EntryKey] = set()
        self._crowd = Crowd()
        self._strangers = Strangers()
        self.late = 0
        self.let_go = 0

    # State

    def restore(self, key: str, value: bytes) -> None:
        """Take back one record of the state topic. Raises nothing: what cannot be read is judged anew."""
        if self._time.restore(key, value):
            return
        entry_key = EntryKey(*json.loads(key))
        entry = read_entry(value)
        if entry is not None:
            self._keep(entry_key, entry)
            self._dirty.discard(entry_key)

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic; None deletes."""
        dirty: dict[str, bytes | None] = {}
        for key in sorted(self._dirty):
            entry = self._entries.get(key)
            dirty[key.text()] = None if entry is None else write_entry(entry)
        self._dirty.clear()
        return {**dirty, **self._time.saved(marks=bool(dirty))}

    def replace_estate(self, estate: Estate) -> None:
        """Judge by these documents from now on; episodes of clauses that are gone are resolved at the next turn."""
        self._seams = Seams(estate, self._settings.default_owner)
        for key in self._entries:
            if self._seams.latest(key.contract, key.clause, key.system) is None:
                self._agenda.at(self._time.now, key)

    def unknown_contracts(self, measurement: Measurement) -> set[tuple[str, str]]:
        """(contract, version) pairs that were measured by documents this judge has not seen yet."""
        pairs = {(fact.contract, fact.contract_version) for fact in measurement.facts}
        return {pair for pair in pairs if not self._seams.knows(*pair)}

    # Judging

    def on_measurement(self, measurement: Measurement) -> Output:
        """Judge one flush: its events, then its facts, then the time that has passed."""
        told = _Told()
        self._time.hear(measurement)
        for event in sorted(measurement.events, key=lambda e: (e.record["event_time"], e.record["event_id"])):
            self._judge_event(event, told)
        for fact in sorted(measurement.facts, key=lambda f: (f.window_start, f.first_time)):
            bound = self._seams.bound(fact.contract, fact.contract_version, fact.clause, fact.system)
            if bound is not None:
                self._ask(bound, fact, told)
        self._time.advance(measurement)
        self._pass_time(told)
        return Output(tuple(told.violations), tuple(told.notices))

    def finish(self) -> Output:
        """The input is over for good (a replay's): what waits for more to follow is told that nothing will."""
        told = _Told()
        for key, entry in sorted(self._entries.items()):
            bound = self._seams.bound(key.contract, entry.version, key.clause, key.system)
            if bound is not None and bound.clause.ends_with_input:
                self._judge(key, entry, bound, TimePassed(ended=True), self._clock_of(entry), told)
        return Output(tuple(told.violations), tuple(told.notices))

    def episodes(self) -> Iterator[Violation]:
        """The latest state of every open episode."""
        for entry in self._entries.values():
            for episode in entry.episodes:
                yield episode.violation

    def _judge_event(self, event: ForwardedEvent, told: _Told) -> None:
        record = event.record
        if event.type == "acknowledgement" and record["of"] == "violation":
            self._acknowledge(record, told)
            return
        old = event.arrived is not None and record["event_time"] < event.arrived - self._settings.max_age
        if old and event.type != "config_change":
            self.late += 1
            return
        for bound in self._seams.wanting(event.type, record["system"], record["event_time"]):
            self._ask(bound, event, told)

    def _ask(self, bound: BoundClause, happening: Fact | ForwardedEvent, told: _Told) -> None:
        part = bound.clause.part_of(happening)
        if part is None:
            return
        seam, clause = bound.seam, bound.clause
        key = EntryKey(seam.contract, clause.id, seam.system, part)
        if key not in self._entries and self._is_stranger(key):
            admitted = self._admitted(bound, happening, told)
            if admitted is None:
                return
            bound, seam = admitted, admitted.seam
            key = replace(key, system=seam.system)
            happening = replace(happening, system=seam.system) if isinstance(happening, Fact) else happening
        entry = self._entries.get(key) or Entry(clause.kind_name, seam.contract_version)
        historic, of_outcomes = self._is_history(entry, happening), "outcome" in clause.sources()
        last = max(entry.last, _time_of(happening))
        entry = replace(entry, historic=historic, heard=self._time.now, of_outcomes=of_outcomes, last=last)
        if isinstance(happening, ForwardedEvent) and (entry.historic or entry.waiting):
            # It is judged in its turn: what came before it may be read later, from another partition or topic.
            turn = Waiting(happening, seam.contract_version, self._time.now + self._settings.settle)
            self._keep(key, replace(entry, waiting=tuple(sorted((*entry.waiting, turn), key=_place))))
        elif entry.historic:
            # No time passes with what comes of a history: how far it has got is asked when it has settled.
            entry = self._judge(key, entry, bound, happening, LONG_AGO, told)
            self._keep(key, replace(entry, wake=earliest(entry.wake, self._time.now + self._settings.settle)))
        else:
            self._judge(key, entry, bound, happening, self._clock_of(entry), told)
        for gone in self._crowd.too_many(key):
            reached = happening.window_start if isinstance(happening, Fact) else _time_of(happening)
            self._let_go(gone, reached, told)

    def _is_stranger(self, key: EntryKey) -> bool:
        return key.contract == DEFAULTS and not self._seams.declares(key.system)

    def _admitted(self, bound: BoundClause, happening: Fact | ForwardedEvent, told: _Told) -> BoundClause | None:
        """The clause as it binds a stranger, or all beyond those there is room for; None: it is not judged."""
        kind, system, at = bound.clause.kind_name, bound.seam.system, _time_of(happening)
        if not self._strangers.has_room(kind, system):
            for silent in self._strangers.silent(at):
                self._let_go(silent, at, told)
        if self._strangers.has_room(kind, system):
            return bound
        return self._seams.of_others(bound.clause, at)

    def _judge(
        self, key: EntryKey, entry: Entry, bound: BoundClause, happening: Happening, watermark: int, told: _Told
    ) -> Entry:
        clause, seam = bound.clause, bound.seam
        state = entry.state if entry.kind == clause.kind_name else None
        horizon = self._horizon(happening)
        moment = Moment(self._time.now, watermark, self._settings.settle, horizon, key.part or None)
        judgement = clause.judge(seam, state, happening, moment)
        episodes = self._follow(entry.episodes, bound, judgement.findings, self._known_at(happening), told)
        self.late += judgement.late
        judged = replace(
            entry,
            kind=clause.kind_name,
            version=seam.contract_version,
            state=judgement.state,
            episodes=episodes,
            deadline=judgement.deadline,
            wake=judgement.wake,
        )
        self._keep(key, judged)
        return judged

    def _horizon(self, happening: Happening) -> int:
        if isinstance(happening, ForwardedEvent) and happening.arrived is not None:
            return happening.arrived - self._settings.max_age
        return LONG_AGO

    def _is_history(self, entry: Entry, happening: Fact | ForwardedEvent) -> bool:
        """Whether it came longer than allowed after its time, or belongs to what did and is still coming."""
        if self._settings.history:
            return False
        lateness = self._settings.lateness
        if isinstance(happening, ForwardedEvent):
            time, arrived = int(happening.record["event_time"]), happening.arrived
        else:
            time, arrived = happening.last_time, self._time.now
        late = arrived is not None and arrived - time > lateness
        return late or (entry.historic and self._time.loading(lateness))

    def _clock_of(self, entry: Entry) -> int:
        """The event time that has been reached for the entry."""
        held = entry.historic and self._time.now < entry.held_until
        return self._time.reached(historic=held, of_outcomes=entry.of_outcomes) - self._settings.lateness

    def _known_at(self, happening: Happening) -> int:
        if not self._settings.history:
            return self._time.now
        return int(happening.record["event_time"]) if isinstance(happening, ForwardedEvent) else LONG_AGO

    def _follow(
        self, episodes: tuple[Episode, ...], bound: BoundClause, findings: tuple[Finding, ...], at: int, told: _Told
    ) -> tuple[Episode, ...]:
        seam, clause, climbs = bound.seam, bound.clause.id, self._settings.climbs
        kind = bound.clause.kind_name
        kept = {(e.violation.severity, e.violation.slice, e.key): e for e in episodes}
        for found in findings:
            if isinstance(found, Open):
                identity = (found.severity, found.slice, found.key)
                before = kept.get(identity)
                if before is None:
                    after = open_episode(seam, clause, kind, found, max(at, found.opened_at), climbs=climbs)
                else:
                    after = update_episode(before, found)
                if after != before:
                    told.violations.append(after.violation)
                kept[identity] = after
            elif isinstance(found, Resolve):
                episode = kept.pop((found.severity, found.slice, found.key), None)
                if episode is not None:
                    told.violations.append(resolve_episode(episode, found))
            else:
                told.notices.append(notice_of(seam, clause, kind, found, max(at, LONG_AGO)))
        return tuple(kept.values())

    def _acknowledge(self, record: dict[str, Any], told: _Told) -> None:
        key = self._episodes.get(record["reference"])
        entry = self._entries.get(key) if key is not None else None
        if key is None or entry is None:
            return
        bound = self._seams.latest(key.contract, key.clause, key.system)
        keys = bound.seam.keys.get(record["person"], ()) if bound is not None else ()
        if not acknowledgement_counts(record, keys):
            return
        self._change(
            key,
            entry,
            record["reference"],
            told,
            lambda e: acknowledge_episode(e, record["person"], record["answer"], record["event_time"], self._time.now),
        )

    def _change(
        self, key: EntryKey, entry: Entry, violation_id: str, told: _Told, change: Callable[[Episode], Episode]
    ) -> None:
        episodes = []
        for episode in entry.episodes:
            changed = change(episode) if episode.violation.violation_id == violation_id else episode
            if changed != episode:
                told.violations.append(changed.violation)
            episodes.append(changed)
        self._keep(key, replace(entry, episodes=tuple(episodes)))

    # Time

    def _pass_time(self, told: _Told) -> None:
        for key in self._agenda.take_due(self._time):
            entry = self._entries.get(key)
            if entry is None:
                continue
            bound = self._seams.bound(key.contract, entry.version, key.clause, key.system) or self._seams.latest(
                key.contract, key.clause, key.system
            )
            if bound is None:
                self._close(key, entry, told, self._time.now, "the clause was withdrawn from the contract")
                continue
            self._climb(key, entry, told)
            entry = self._turns(key, bound, told)
            watermark = self._clock_of(entry)
            asked = entry.deadline is not None and entry.deadline <= watermark
            if asked or (entry.wake is not None and entry.wake <= self._time.now):
                self._judge(key, entry, bound, TimePassed(), watermark, told)
            elif entry.historic and self._time.now < entry.held_until:
                self._agenda.at(entry.held_until, key)

    def _climb(self, key: EntryKey, entry: Entry, told: _Told) -> None:
        now = self._time.now
        for episode in entry.episodes:
            if episode.escalate_at is not None and episode.escalate_at <= now:
                violation_id = episode.violation.violation_id
                self._change(key, self._entries[key], violation_id, told, lambda e: escalate_episode(e, now))

    def _turns(self, key: EntryKey, bound: BoundClause, told: _Told) -> Entry:
        """Judge the events whose turn has come; the entry then."""
        entry = self._entries[key]
        while entry.waiting:
            first, *rest = entry.waiting
            at = first.place[0]
            if first.ready > self._time.now or at > self._clock_of(entry):
                break
            by = self._seams.bound(key.contract, first.version, key.clause, key.system) or bound
            if entry.deadline is not None and entry.deadline < at:
                entry = self._judge(key, entry, bound, TimePassed(), at - 1, told)
            entry = self._judge(key, replace(entry, waiting=tuple(rest)), by, first.event, at - 1, told)
        return entry

    def _let_go(self, key: EntryKey, reached: int, told: _Told) -> None:
        # What is over by then ends as it would have; what goes on makes room.
        entry = self._entries[key]
        bound = self._seams.bound(key.contract, entry.version, key.clause, key.system)
        if bound is not None:
            entry = self._judge(key, entry, bound, TimePassed(), reached, told)
        if not entry.empty:
            self.let_go += 1
            self._close(key, entry, told, entry.last, f"{key.system}: {TOO_MANY}")

    def _close(self, key: EntryKey, entry: Entry, told: _Told, at: int, why: str) -> None:
        """Forget an entry; what is open of it is over."""
        for episode in entry.episodes:
            over = Resolve("breach", episode.key, at, summary=why)
            told.violations.append(resolve_episode(episode, over))
        self._keep(key, replace(entry, state=None, episodes=(), waiting=()))

    def _keep(self, key: EntryKey, entry: Entry) -> None:
        before = self._entries.get(key)
        for episode in before.episodes if before is not None else ():
            self._episodes.pop(episode.violation.violation_id, None)
        if not self._settings.history:
            # A history's state is written nowhere, and what would be written must not pile up.
            self._dirty.add(key)
        if entry.empty:
            self._entries.pop(key, None)
            self._crowd.gone(key)
            self._strangers.gone(key)
            return
        self._entries[key] = entry
        self._crowd.heard(key, entry.last)
        if self._is_stranger(key):
            self._strangers.heard(key, entry.kind, entry.last)
        for episode in entry.episodes:
            self._episodes[episode.violation.violation_id] = key
        self._agenda.schedule(key, before, entry, self._time)


def _time_of(happening: Fact | ForwardedEvent) -> int:
    return happening.last_time if isinstance(happening, Fact) else int(happening.record["event_time"])


def _place(waiting: Waiting) -> tuple[int, str]:
    return waiting.place
