"""The judge: every clause of an estate over one partition of measurements.

Pure but for the state it holds in memory: given the same estate, restored state and measurements it gives the same
violations with the same ids. It reads no clock (time comes with the measurements), no topic and no table; its host
restores it, feeds it, and keeps what is dirty.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from seamwatch.documents import Estate
from seamwatch.durations import DAY, SECOND
from seamwatch.judging.entries import Entry, EntryKey, read_entry, write_entry
from seamwatch.judging.episodes import (
    Episode,
    acknowledge_episode,
    escalate_episode,
    notice_of,
    open_episode,
    resolve_episode,
    update_episode,
)
from seamwatch.judging.facts import ForwardedEvent, Measurement, Notice, Violation, Watermark
from seamwatch.judging.judgement import Finding, Happening, Moment, Open, Resolve, TimePassed
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.signatures import acknowledgement_counts

_LONG_AGO = -(2**62)
_CLOCK_KEY = "\x00clock"
_MARKS_KEY = "\x00marks"
_MARKS_KEPT_EVERY = 10 * SECOND


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
        self._entries: dict[EntryKey, Entry] = {}
        self._episodes: dict[str, EntryKey] = {}
        self._dirty: set[EntryKey] = set()
        self._watermarks: dict[tuple[str, int], Watermark] = {}
        self._deadlines: list[tuple[int, EntryKey]] = []
        self._wakes: list[tuple[int, EntryKey]] = []
        self._now = self._watermark = self._progress = self._marks_kept = _LONG_AGO
        self._held: set[EntryKey] = set()
        self.late = 0

    # State

    def restore(self, key: str, value: bytes) -> None:
        """Take back one record of the state topic. Raises nothing: what cannot be read is judged anew."""
        if key == _CLOCK_KEY:
            self._now, self._watermark, self._progress = json.loads(value)
            return
        if key == _MARKS_KEY:
            self._watermarks = {(w["topic"], w["partition"]): Watermark(**w) for w in json.loads(value)}
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
        # What comes next is judged under this time, crash or no crash. The marks behind it are many, and are told
        # anew with every heartbeat: older ones only make the judge wait that long.
        dirty[_CLOCK_KEY] = json.dumps([self._now, self._watermark, self._progress]).encode()
        if self._now - self._marks_kept >= _MARKS_KEPT_EVERY or len(dirty) > 1:
            marks = [_plain(mark) for mark in self._watermarks.values()]
            dirty[_MARKS_KEY] = json.dumps(marks).encode()
            self._marks_kept = self._now
        self._dirty.clear()
        return dirty

    def replace_estate(self, estate: Estate) -> None:
        """Judge by these documents from now on; episodes of clauses that are gone are resolved at the next turn."""
        self._seams = Seams(estate, self._settings.default_owner)
        for key in self._entries:
            if self._seams.latest(key.contract, key.clause, key.system) is None:
                heapq.heappush(self._wakes, (self._now, key))

    def unknown_contracts(self, measurement: Measurement) -> set[tuple[str, str]]:
        """(contract, version) pairs that were measured by documents this judge has not seen yet."""
        pairs = {(fact.contract, fact.contract_version) for fact in measurement.facts}
        return {pair for pair in pairs if not self._seams.knows(*pair)}

    # Judging

    def on_measurement(self, measurement: Measurement) -> Output:
        """Judge one flush: its events, then its facts, then the time that has passed."""
        told = _Told()
        self._now = max(self._now, measurement.measured_at)
        for event in sorted(measurement.events, key=lambda e: (e.record["event_time"], e.record["event_id"])):
            self._judge_event(event, told)
        for fact in sorted(measurement.facts, key=lambda f: (f.window_start, f.first_time)):
            bound = self._seams.bound(fact.contract, fact.contract_version, fact.clause, fact.system)
            if bound is not None:
                self._ask(bound, fact, told)
        for mark in measurement.watermarks:
            self._watermarks[mark.topic, mark.partition] = mark
        if self._watermarks:
            lowest = min(mark.watermark for mark in self._watermarks.values())
            self._watermark = lowest - self._settings.lateness
            coming = [mark.progress for mark in self._watermarks.values() if mark.progress is not None]
            self._progress = min([lowest, *coming]) - self._settings.lateness
        self._pass_time(told)
        return Output(tuple(told.violations), tuple(told.notices))

    def finish(self) -> Output:
        """The input is over for good (a replay's): what waits for more to follow is told that nothing will."""
        told = _Told()
        for key, entry in sorted(self._entries.items()):
            bound = self._seams.bound(key.contract, entry.version, key.clause, key.system)
            if bound is not None and bound.clause.ends_with_input:
                self._judge(key, bound, TimePassed(ended=True), told)
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
        horizon = event.arrived - self._settings.max_age if event.arrived is not None else _LONG_AGO
        for bound in self._seams.wanting(event.type, record["system"], record["event_time"]):
            self._ask(bound, event, told, horizon)

    def _ask(self, bound: BoundClause, happening: Happening, told: _Told, horizon: int = _LONG_AGO) -> None:
        part = bound.clause.part_of(happening)
        if part is None:
            return
        seam, clause = bound.seam, bound.clause
        self._judge(EntryKey(seam.contract, clause.id, seam.system, part), bound, happening, told, horizon)

    def _judge(
        self, key: EntryKey, bound: BoundClause, happening: Happening, told: _Told, horizon: int = _LONG_AGO
    ) -> None:
        clause, seam = bound.clause, bound.seam
        entry = self._entries.get(key) or Entry(clause.kind_name, seam.contract_version)
        state = entry.state if entry.kind == clause.kind_name else None
        late_from = self._told_late(happening)
        historic = entry.historic if isinstance(happening, TimePassed) else late_from is not None
        watermark = self._progress if historic else self._watermark
        if late_from is not None:
            # The history has got no further than this, whatever the clock says.
            watermark = min(watermark, late_from)
        moment = Moment(self._now, watermark, self._settings.settle, horizon, key.part or None)
        judgement = clause.judge(seam, state, happening, moment)
        episodes = self._follow(entry.episodes, bound, judgement.findings, self._known_at(happening), told)
        self.late += judgement.late
        judged = Entry(
            clause.kind_name,
            seam.contract_version,
            judgement.state,
            episodes,
            judgement.deadline,
            judgement.wake,
            historic,
        )
        self._keep(key, judged)

    def _told_late(self, happening: Happening) -> int | None:
        """The event time of what came long after it; None for what came in time."""
        if isinstance(happening, TimePassed) or self._settings.history:
            return None
        if isinstance(happening, ForwardedEvent):
            time, arrived = int(happening.record["event_time"]), happening.arrived
        else:
            time, arrived = happening.last_time, self._now
        return time if arrived is not None and arrived - time > self._settings.lateness else None

    def _known_at(self, happening: Happening) -> int:
        if not self._settings.history:
            return self._now
        return int(happening.record["event_time"]) if isinstance(happening, ForwardedEvent) else _LONG_AGO

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
                told.notices.append(notice_of(seam, clause, kind, found, max(at, _LONG_AGO)))
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
            lambda e: acknowledge_episode(e, record["person"], record["answer"], record["event_time"], self._now),
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
        for key in self._due():
            entry = self._entries.get(key)
            if entry is None:
                continue
            bound = self._seams.bound(key.contract, entry.version, key.clause, key.system) or self._seams.latest(
                key.contract, key.clause, key.system
            )
            if bound is None:
                self._retire(key, entry, told)
                continue
            for episode in entry.episodes:
                if episode.escalate_at is not None and episode.escalate_at <= self._now:
                    self._change(
                        key,
                        self._entries[key],
                        episode.violation.violation_id,
                        told,
                        lambda e: escalate_episode(e, self._now),
                    )
            entry = self._entries[key]
            watermark = self._progress if entry.historic else self._watermark
            asked = entry.deadline is not None and entry.deadline <= watermark
            if entry.historic and entry.deadline is not None and watermark < entry.deadline <= self._watermark:
                self._held.add(key)
            if asked or (entry.wake is not None and entry.wake <= self._now):
                self._judge(key, bound, TimePassed(), told)

    def _due(self) -> list[EntryKey]:
        due, self._held = self._held, set()
        while self._deadlines and self._deadlines[0][0] <= self._watermark:
            due.add(heapq.heappop(self._deadlines)[1])
        while self._wakes and self._wakes[0][0] <= self._now:
            due.add(heapq.heappop(self._wakes)[1])
        return sorted(due)

    def _retire(self, key: EntryKey, entry: Entry, told: _Told) -> None:
        for episode in entry.episodes:
            over = Resolve("breach", episode.key, self._now, summary="the clause was withdrawn from the contract")
            told.violations.append(resolve_episode(episode, over))
        self._keep(key, replace(entry, state=None, episodes=()))

    def _keep(self, key: EntryKey, entry: Entry) -> None:
        before = self._entries.get(key)
        for episode in before.episodes if before is not None else ():
            self._episodes.pop(episode.violation.violation_id, None)
        self._dirty.add(key)
        if entry.empty:
            self._entries.pop(key, None)
            return
        self._entries[key] = entry
        for episode in entry.episodes:
            self._episodes[episode.violation.violation_id] = key
        self._schedule(key, before, entry)

    def _schedule(self, key: EntryKey, before: Entry | None, entry: Entry) -> None:
        # What is scheduled already is not scheduled twice, unless its time has come and it was taken off.
        deadline, wake = entry.deadline, entry.wake_at
        if deadline is not None and (before is None or before.deadline != deadline or deadline <= self._watermark):
            heapq.heappush(self._deadlines, (deadline, key))
        if wake is not None and (before is None or before.wake_at != wake or wake <= self._now):
            heapq.heappush(self._wakes, (wake, key))


def _plain(mark: Watermark) -> dict[str, Any]:
    return {name: getattr(mark, name) for name in Watermark.__slots__}
