"""The judge: every clause of an estate over one partition of measurements.

Pure but for the state it holds in memory: given the same estate, restored state and measurements it gives the same
violations with the same ids. It reads no clock (time comes with the measurements), no topic and no table; its host
restores it, feeds it, and keeps what is dirty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from seamwatch.documents import Estate
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.documents.estate import END
from seamwatch.durations import DAY, SECOND
from seamwatch.judging import unjudged
from seamwatch.judging.answering import Answering
from seamwatch.judging.aside import Aside
from seamwatch.judging.changeover import begins_anew, crowded, hold
from seamwatch.judging.clocks import Clocks
from seamwatch.judging.entries import Entry, EntryKey, Waiting
from seamwatch.judging.episodes import Episode, escalate_episode, resolve_episode
from seamwatch.judging.facts import Fact, ForwardedEvent, Measurement, Notice, Verdict, Violation, Watermark
from seamwatch.judging.following import Told, follow, spent_by
from seamwatch.judging.judgement import EXPECTED, Happening, Moment, Resolve, TimePassed
from seamwatch.judging.late import Late, LateCount
from seamwatch.judging.placing import WITHDRAWN, Placing
from seamwatch.judging.remembered import Remembered
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.judging.spent import REMEMBERED, still_spent
from seamwatch.judging.state_records import StateRecords
from seamwatch.judging.stream_time import FAR_AHEAD, LONG_AGO, StreamTime
from seamwatch.judging.windows import earliest

_ORDER = attrgetter("window_start", "first_time")
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
    verdicts: tuple[Verdict, ...] = ()


class Judge:
    """Judges one partition of measurements; see the module for what it promises."""

    def __init__(
        self, estate: Estate, settings: JudgeSettings | None = None, owns: Callable[[str], bool] | None = None
    ) -> None:
        """``owns``: whether a system's measurements come by this partition; of others nothing is expected."""
        self._settings = settings or JudgeSettings()
        self._seams = Seams(estate, self._settings.default_owner)
        self._owns = owns
        self._expecting = FAR_AHEAD
        self._time = StreamTime()
        self._placing = self._placing_of(estate)
        self._clocks = Clocks(self._time, self._settings.max_age, replayed=self._settings.history)
        self._answering = Answering(self._seams, self._time)
        self._entries = Remembered(self._time, self._is_stranger, saved=not self._settings.history)
        self._records = StateRecords(self._time, self._answering.early, self._entries)
        self._late = LateCount()
        self.let_go = 0

    # State

    def restore(self, key: str, value: bytes) -> None:
        """Take back one record of the state topic. Raises nothing: what cannot be read is kept in ``aside``."""
        self._records.restore(key, value, self._placing.placed)

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic; None deletes."""
        return self._records.take_dirty()

    @property
    def aside(self) -> Aside:
        """What of the state topic could not be read."""
        return self._records.aside

    @property
    def clock(self) -> tuple[int, int]:
        """The stages' clock, and the event time up to which all is measured, as the measurements told them."""
        return self._time.now, self._time.lowest

    def held_by(self) -> list[Watermark]:
        """The input partitions that event time waits for."""
        return self._time.held_by()

    @property
    def late(self) -> int:
        """How many events came too late to change what was judged."""
        return self._late.total

    def take_late(self) -> Mapping[Late, int]:
        """The same by contract, clause and system, since the last call."""
        return self._late.take()

    def replace_estate(self, estate: Estate) -> None:
        """Judge by these documents from now on; episodes of clauses that are gone are resolved at the next turn."""
        self._expecting = FAR_AHEAD
        self._seams = self._answering.seams = Seams(estate, self._settings.default_owner)
        self._placing = self._placing_of(estate)
        self._late.forget_documents()
        for key, entry in self._entries.items():
            placed = self._placing.placed(key, entry)
            self._entries.place(key, placed)
            if self._bound(key, placed) is None:
                self._entries.look_at(self._time.now, key)

    def _placing_of(self, estate: Estate) -> Placing:
        return Placing(estate, self._seams, self._settings.lateness, agreed=not self._settings.history)

    def unknown_contracts(self, measurement: Measurement) -> set[tuple[str, str]]:
        """(contract, version) pairs that were measured by documents this judge has not seen yet."""
        pairs = {(fact.contract, fact.contract_version) for fact in measurement.facts}
        return {pair for pair in pairs if not self._seams.knows(*pair)}

    # Judging

    def on_measurement(self, measurement: Measurement) -> Output:
        """Judge one flush: its events, then its facts, then the time that has passed."""
        told = Told()
        self._time.hear(measurement)
        self._expect(told)
        for event in sorted(measurement.events, key=lambda e: (e.record["event_time"], e.record["event_id"])):
            self._judge_event(event, told)
        for fact in sorted(measurement.facts, key=_ORDER):
            bound = self._seams.bound(fact.contract, fact.contract_version, fact.clause, fact.system)
            if bound is not None:
                self._ask(bound, fact, told)
        self._time.advance(measurement)
        self._pass_time(told)
        return self._output(told)

    def finish(self) -> Output:
        """The input is over for good (a replay's): what waits for more to follow is told that nothing will."""
        told = Told()
        for key, entry in sorted(self._entries.items()):
            bound = self._seams.bound(key.contract, entry.version, key.clause, key.system)
            if bound is not None and bound.clause.ends_with_input:
                self._judge(key, entry, bound, TimePassed(ended=True), self._clocks.reached(entry), told)
        return self._output(told)

    def _output(self, told: Told) -> Output:
        self._answering.ended(told.violations)
        return Output(tuple(told.violations), tuple(told.notices), tuple(told.verdicts.values()))

    def episodes(self) -> Iterator[Violation]:
        """The latest state of every open episode."""
        return self._entries.violations()

    def _expect(self, told: Told) -> None:
        """Start the clocks of what is due although nothing has ever been heard of it."""
        began = self._time.began
        if began is None or began >= self._expecting:
            return
        self._expecting = began
        for bound, at in self._seams.beginnings(began, self._settings.max_age):
            if self._owns is None or self._owns(bound.seam.system):
                record = {"event_time": at, "event_id": "", "system": bound.seam.system}
                arrived = None if self._settings.history else self._time.now
                self._ask(bound, ForwardedEvent(EXPECTED, record, arrived=arrived), told)

    def _judge_event(self, event: ForwardedEvent, told: Told) -> None:
        record = event.record
        if event.type == "acknowledgement" and record["of"] == "violation":
            self._acknowledge(record, told)
            return
        old, asked = self._clocks.is_old(event), False
        for bound in self._seams.wanting(event.type, record["system"], record["event_time"]):
            asked = asked or bound.clause.part_of(event) is not None
            if old and event.type != "config_change":
                self._late.add(bound, 1)
            else:
                self._ask(bound, event, told)
        if event.type == "acknowledgement" and (old or not asked):
            self._answering.refuse(record, *_unasked(record, old=asked), told)

    def _ask(self, bound: BoundClause, happening: Fact | ForwardedEvent, told: Told) -> None:
        part = unjudged.part_of(bound.clause, happening)
        if part is None:
            return
        seam, clause = bound.seam, bound.clause
        key = EntryKey(seam.contract, clause.id, seam.system, part)
        known = self._entries.get(key)
        if known is None and self._is_stranger(key):
            admitted = self._admitted(bound, happening, told)
            if admitted is None:
                return
            bound, seam = admitted, admitted.seam
            key = key._replace(system=seam.system)
            happening = replace(happening, system=seam.system) if isinstance(happening, Fact) else happening
            known = self._entries.get(key)
        entry = known
        if entry is None or entry.idle:
            entry = self._begun(key, bound, happening)._replace(spent=() if known is None else known.spent)
        later = seam.contract_version != entry.version and _began(happening) >= entry.until
        historic = not self._settings.history and self._clocks.is_history(entry, happening)
        last = max(entry.last, _time_of(happening))
        if later:
            entry = entry._replace(historic=historic, last=last)
        else:
            # What comes when another version is due does not put that off.
            due = entry.until != END and self._clocks.reached(entry) >= entry.until
            heard, of_outcomes = entry.heard if due else self._time.now, "outcome" in clause.sources()
            entry = entry.heard_of(last, heard, historic=historic, of_outcomes=of_outcomes)
        if isinstance(happening, ForwardedEvent) and (entry.historic or entry.waiting or later):
            # It is judged in its turn: what came before it may be read later, from another partition or topic.
            turn = Waiting(happening, seam.contract_version, self._time.now + self._settings.settle)
            self._entries.keep(key, entry._replace(waiting=tuple(sorted((*entry.waiting, turn), key=_place))))
        elif later and isinstance(happening, Fact):
            self._entries.keep(key, entry._replace(held=hold(entry.held, happening, bound)))
        elif entry.historic:
            # No time passes with what comes of a history: how far it has got is asked when it has settled.
            entry = self._judge(key, entry, bound, happening, LONG_AGO, told)
            self._entries.keep(key, entry._replace(wake=earliest(entry.wake, self._time.now + self._settings.settle)))
        else:
            self._judge(key, entry, bound, happening, self._clocks.reached(entry), told)
        if known is None:
            for gone in self._entries.too_many(key, clause.most_parts):
                reached = happening.window_start if isinstance(happening, Fact) else _time_of(happening)
                self._let_go(gone, reached, told)

    def _is_stranger(self, key: EntryKey) -> bool:
        return key.contract == DEFAULTS and not self._seams.declares(key.system)

    def _admitted(self, bound: BoundClause, happening: Fact | ForwardedEvent, told: Told) -> BoundClause | None:
        """The clause as it binds a stranger, or all beyond those there is room for; None: it is not judged."""
        kind, system, at = bound.clause.kind_name, bound.seam.system, _time_of(happening)
        if not self._entries.strangers.has_room(kind, system):
            for silent in self._entries.strangers.silent(at):
                self._let_go(silent, at, told)
        if self._entries.strangers.has_room(kind, system):
            return bound
        return self._seams.of_others(bound.clause, at)

    def _judge(
        self, key: EntryKey, entry: Entry, bound: BoundClause, happening: Happening, watermark: int, told: Told
    ) -> Entry:
        clause, seam = bound.clause, bound.seam
        own = seam.contract_version == entry.version
        if not own and ((by := self._bound(key, entry)) is None or begins_anew(bound, by, key.part)):
            # Of a version that is over, and what it counts says nothing to the one in force.
            if not unjudged.is_part(key.part):
                self._late.add(bound, happening.count if isinstance(happening, Fact) else 1)
            self._entries.keep(key, entry)
            return entry
        kind = unjudged.kind_of(clause, key.part)
        state = entry.state if entry.kind == kind else None
        horizon = LONG_AGO if isinstance(happening, Fact) else self._clocks.horizon(happening)
        moment = Moment(self._time.now, watermark, self._settings.settle, horizon, key.part or None)
        if kind == unjudged.KIND:
            judgement = unjudged.judge(clause, seam, state, happening, moment)
        else:
            judgement = clause.judge(seam, state, happening, moment)
        if judgement.late:
            self._late.add_judged(bound, happening, judgement.late)
        episodes, spent = entry.episodes, entry.spent
        if judgement.findings:
            climbs, at = self._settings.climbs, self._clocks.known_at(happening)
            remembered = self._remembered(key)
            found = follow(
                episodes,
                self._placing.finder(bound),
                judgement.findings,
                at,
                told,
                lambda episode, over: self._answering.answered(episode, over, bound, told),
                climbs=climbs,
                spent=spent,
                remembered=remembered,
            )
            episodes, spent = found.episodes, found.spent if remembered != 0 else ()
        # Time is judged by the version in force: after another one it is asked again, at once.
        wake = judgement.wake if own else self._time.now
        judged = entry.judged(kind, judgement.state, episodes, judgement.deadline, wake, spent)
        self._entries.keep(key, judged)
        return judged

    def _remembered(self, key: EntryKey) -> int | None:
        """For how long the names of episodes that are over are remembered: of strangers, who must make room, not."""
        if self._is_stranger(key):
            return 0
        return REMEMBERED if key.part and key.part[0] != "\x00" else None

    # Acknowledgements

    def _acknowledge(self, record: dict[str, Any], told: Told) -> None:
        key = self._entries.of_violation(record["reference"])
        entry = self._entries.get(key) if key is not None else None
        if key is None or entry is None:
            self._answering.wait(record, told)
            return
        bound = self._bound(key, entry)
        self._change(key, entry, record["reference"], told, lambda e: self._answering.answer(e, record, bound, told))

    def _change(
        self, key: EntryKey, entry: Entry, violation_id: str, told: Told, change: Callable[[Episode], Episode]
    ) -> None:
        episodes = []
        for episode in entry.episodes:
            changed = change(episode) if episode.violation.violation_id == violation_id else episode
            if changed != episode:
                told.violations.append(changed.violation)
            episodes.append(changed)
        self._entries.keep(key, entry._replace(episodes=tuple(episodes)))

    # Time

    def _pass_time(self, told: Told) -> None:
        for key in self._entries.take_due():
            entry = self._entries.get(key)
            if entry is not None:
                if entry.episodes:
                    self._climb(key, entry, told)
                while self._pass(key, told):
                    pass

    def _pass(self, key: EntryKey, told: Told) -> bool:
        """Let time pass for an entry, as far as one version is in force; whether there is more."""
        entry = self._entries[key]
        clock, now = self._clocks.reached(entry), self._time.now
        if entry.spent and (spent := still_spent(entry.spent, clock)) != entry.spent:
            entry = entry._replace(spent=spent)
            self._entries.keep(key, entry)
        if entry.idle:
            return False
        over = clock >= entry.until or crowded(entry.held)
        bound = self._bound(key, entry)
        if bound is None and entry.version and not over:
            # What waits for a later version, which may have the clause again, goes on waiting.
            self._entries.keep(key, self._ended(key, entry, told, now, WITHDRAWN))
            return False
        if bound is not None:
            reached = min(clock, entry.until - 1)
            if entry.waiting:
                entry = self._turns(key, bound, reached, told)
            asked = entry.deadline is not None and entry.deadline <= reached
            if asked or (entry.wake is not None and entry.wake <= now):
                entry = self._judge(key, entry, bound, TimePassed(), reached, told)
            elif entry.historic and now < entry.held_until:
                self._entries.look_at(entry.held_until, key)
        if not over or key not in self._entries:
            return False
        settled = entry.heard + self._settings.settle
        if bound is not None and now < settled and not crowded(entry.held):
            # What belongs to the former version may still be on its way.
            self._entries.look_at(settled, key)
            return False
        self._change_over(key, entry, told)
        return key in self._entries

    def _bound(self, key: EntryKey, entry: Entry) -> BoundClause | None:
        """The clause of the version by which time is judged for the entry."""
        return self._placing.bound(key, entry.version)

    def _begun(self, key: EntryKey, bound: BoundClause, happening: Fact | ForwardedEvent) -> Entry:
        clause, now, last = bound.clause, self._time.now, _time_of(happening)
        kind = unjudged.kind_of(clause, key.part)
        entry = Entry(kind, bound.seam.contract_version, None, (), None, None, False, now, (), False, last)

        def reached() -> int:
            placed = self._placing.placed(key, entry)
            historic, of_outcomes = self._clocks.is_history(placed, happening), "outcome" in clause.sources()
            return self._clocks.reached(placed._replace(historic=historic, of_outcomes=of_outcomes))

        return self._placing.begun(key, entry, _began(happening), reached)

    def _change_over(self, key: EntryKey, entry: Entry, told: Told) -> None:
        """Another version comes into force for the entry."""
        successor = self._placing.successor(key, entry, self._clocks.reached(entry), self._time.now)
        version, after = successor.version, successor.bound
        if successor.why is not None:
            entry = self._ended(key, entry, told, successor.at, successor.why)
        mine = [fact for fact in entry.held if fact.contract_version == version]
        held = tuple(fact for fact in entry.held if fact.contract_version != version)
        kind = entry.kind if after is None else unjudged.kind_of(after.clause, key.part)
        last = max(entry.last, successor.start)
        entry = self._placing.placed(key, entry._replace(kind=kind, version=version, held=held, last=last))
        entry = entry._replace(until=successor.end)
        self._entries.keep(key, entry)
        if after is None:
            return
        watermark = LONG_AGO if entry.historic else successor.start - 1
        for fact in sorted(mine, key=_ORDER):
            entry = self._judge(key, entry, after, fact, watermark, told)
        heard = self._time.now if mine else entry.heard
        self._entries.keep(key, entry._replace(heard=heard, wake=self._time.now))

    def _climb(self, key: EntryKey, entry: Entry, told: Told) -> None:
        now = self._time.now
        for episode in entry.episodes:
            if episode.escalate_at is not None and episode.escalate_at <= now:
                violation_id = episode.violation.violation_id
                self._change(key, self._entries[key], violation_id, told, lambda e: escalate_episode(e, now))

    def _turns(self, key: EntryKey, bound: BoundClause, reached: int, told: Told) -> Entry:
        """Judge the events whose turn has come; the entry then."""
        entry = self._entries[key]
        while entry.waiting:
            first, *rest = entry.waiting
            at = first.place[0]
            if first.ready > self._time.now or at > reached:
                # It may settle after what stands behind it, and a history may fall back behind it.
                self._entries.look_at(max(first.ready, self._time.now + self._settings.settle), key)
                break
            by = self._seams.bound(key.contract, first.version, key.clause, key.system) or bound
            if entry.deadline is not None and entry.deadline < at:
                entry = self._judge(key, entry, bound, TimePassed(), at - 1, told)
            entry = entry._replace(waiting=tuple(rest))
            if entry.until != END:
                entry = entry._replace(heard=self._time.now)
            entry = self._judge(key, entry, by, first.event, at - 1, told)
        return entry

    def _let_go(self, key: EntryKey, reached: int, told: Told) -> None:
        # What is over by then ends as it would have; what goes on makes room.
        entry = self._entries[key]
        bound = self._seams.bound(key.contract, entry.version, key.clause, key.system)
        if bound is not None:
            entry = self._judge(key, entry, bound, TimePassed(), reached, told)
        if entry.empty:
            return
        if not entry.idle:
            self.let_go += 1
            entry = self._ended(key, entry, told, entry.last, f"{key.system}: {TOO_MANY}")
        self._entries.keep(key, entry._replace(waiting=(), held=(), spent=()))

    def _ended(self, key: EntryKey, entry: Entry, told: Told, at: int, why: str) -> Entry:
        """The entry when its clause binds no longer: what is open of it is over."""
        remembered, spent = self._remembered(key), entry.spent
        for episode in entry.episodes:
            over = resolve_episode(episode, Resolve("breach", episode.key, at, summary=why))
            told.violations.append(over)
            if remembered != 0:
                spent = spent_by(episode, over, spent, remembered)
        return entry._replace(state=None, episodes=(), deadline=None, wake=None, spent=spent)


def _unasked(record: Mapping[str, Any], *, old: bool) -> tuple[str, str]:
    if old:
        return "too_old", "it came too long after it was given to be judged"
    waits = "the receipt of a summary" if record["of"] == "summary" else f"answers about changes of {record['system']}"
    return "nobody_asks", f"no contract asks for {waits}"


def _began(happening: Fact | ForwardedEvent) -> int:
    return happening.first_time if isinstance(happening, Fact) else int(happening.record["event_time"])


def _time_of(happening: Fact | ForwardedEvent) -> int:
    return happening.last_time if isinstance(happening, Fact) else int(happening.record["event_time"])


def _place(waiting: Waiting) -> tuple[int, str]:
    return waiting.place
