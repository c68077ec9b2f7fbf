"""The judge: every clause of an estate over one partition of measurements.

Pure but for the state it holds in memory: given the same estate, restored state and measurements it gives the same
violations with the same ids. It reads no clock (time comes with the measurements), no topic and no table; its host
restores it, feeds it, and keeps what is dirty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from seamwatch.documents import Estate
from seamwatch.engine.answering import Answering
from seamwatch.engine.aside import Aside
from seamwatch.engine.emitted import Emitted, Emitter
from seamwatch.engine.endings import TOLD, Endings
from seamwatch.engine.evaluation import Evaluation
from seamwatch.engine.event_time import EventTime
from seamwatch.engine.eviction import Eviction
from seamwatch.engine.expected import Expected
from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.late import Late
from seamwatch.engine.process import IN_ORDER, KeyedProcess
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.state_records import StateRecords
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.suspending import Suspending
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.judging.model.held import Held

_OF_INCIDENTS: Final = ("incident", "report")


class Judge:
    """Judges one partition of measurements; see the module for what it promises."""

    def __init__(
        self, estate: Estate, settings: JudgeSettings | None = None, owns: Callable[[str], bool] | None = None
    ) -> None:
        """``owns``: whether a system's measurements come by this partition; of others nothing is expected."""
        settings = settings or JudgeSettings()
        self._watermarks = Watermarks()
        self._event_time = EventTime(self._watermarks, settings)
        self._versions = ContractVersions(estate, settings)
        self._states = StateStore(self._watermarks, self._versions.is_undeclared, saved=not settings.replayed)
        self._timers = self._states.timers
        self._expected = Expected(settings, self._watermarks, self._versions, self._states, owns)
        self._answering = Answering(self._versions, self._states, self._watermarks, climbs=settings.climbs)
        self._evaluation = Evaluation(
            settings, self._watermarks, self._event_time, self._versions, self._states, self._answering
        )
        self._eviction = Eviction(self._versions, self._states, self._evaluation)
        self._process = KeyedProcess(
            settings,
            self._watermarks,
            self._event_time,
            self._versions,
            self._states,
            self._answering,
            self._evaluation,
            self._eviction,
        )
        self._endings = Endings(settings, self._watermarks, self._versions, self._states)
        self._suspending = Suspending(self._versions, self._states, self._watermarks, self._process, settings)
        self._records = StateRecords(self._watermarks, self._answering.early, self._states)

    # Judging

    def on_measurement(self, measurement: Measurement) -> Emitted:
        """Judge one flush: what is expected by now, its events, then its facts, then the time that has passed."""
        out = Emitter()
        began_before = self._watermarks.began
        self._watermarks.receive(measurement)
        for bound, event in self._expected.inputs(began_before):
            self._process.on_input(bound, event, out)
        self._suspending.by_contract(out)
        for event in sorted(measurement.events, key=_event_order):
            self._on_event(event, out)
        for fact in sorted(measurement.facts, key=IN_ORDER):
            measured_for = self._versions.of_fact(fact)
            if measured_for is not None:
                self._process.on_input(measured_for, fact, out)
        self._suspending.by_contract(out)
        self._watermarks.advance(measurement)
        self._pass_time(out)
        self._answering.ended(out.violations)
        return out.emitted()

    def _pass_time(self, out: Emitter) -> None:
        """Let time pass: late for what may be suspended by what others find, last for those that hear of episodes."""
        due = self._timers.take_due()
        held = {key for key in due if self._suspending.holds(key)}
        heard = {what: {key for key in due if self._endings.are_heard_by(key, what)} for what in TOLD}
        for key in due:
            if key not in held and not any(key in keys for keys in heard.values()):
                self._process.on_timer(key, out)
        self._suspending.by_contract(out)
        for key in sorted(held):
            self._process.on_timer(key, out)
        for what, keys in heard.items():
            for key in sorted(keys | self._tell(what, out)):
                self._process.on_timer(key, out)
        self._suspending.by_contract(out)

    def _tell(self, what: str, out: Emitter) -> set[StateKey]:
        """Tell of the episodes that have opened, or ended, in this turn; whose clauses have heard of any."""
        told: set[StateKey] = set()
        for bound, event in self._endings.inputs(what, tuple(out.violations)):
            self._process.on_input(bound, event, out)
            told.add(StateKey(bound.seam.contract, bound.clause.id, bound.seam.system, ""))
        return told

    def _on_event(self, event: ForwardedEvent, out: Emitter) -> None:
        """Judge an event by each clause that wants such events, and say of an answer that none asked for it."""
        record = event.record
        if event.type == "acknowledgement" and record["of"] == "violation":
            self._answering.on_acknowledgement(record, out)
            return
        old, asked = self._event_time.is_old(event), False
        for bound in self._versions.seams.wanting(event.type, record["system"], record["event_time"]):
            seam, clause = bound.seam, bound.clause
            concerned = clause.part_of(event) is not None
            asked = asked or concerned
            if old and event.type != "config_change":
                self._evaluation.late.add(bound, int(concerned))
                continue
            self._process.on_input(bound, event, out)
            if concerned and event.type in clause.spreads:
                for part in self._states.slices(seam.contract, clause.id, seam.system):
                    self._process.on_input(bound, event, out, part)
        if event.type == "suspension" and old:
            self._suspending.refuse(record, out)
        if self._answering.is_answered(event) and (old or not asked):
            self._answering.refuse(record, *_unasked(record, old=asked), out)

    def finish(self) -> Emitted:
        """The input is over for good (a replay's): what waits for more to follow is told that nothing will."""
        out = Emitter()
        self._process.on_end(out)
        self._suspending.by_contract(out)
        for what in TOLD:
            for key in sorted(self._tell(what, out)):
                self._process.on_timer(key, out)
        self._suspending.by_contract(out)
        self._answering.ended(out.violations)
        return out.emitted()

    def episodes(self) -> Iterator[Violation]:
        """The latest state of every open episode."""
        return self._states.violations()

    # Documents

    def replace_estate(self, estate: Estate) -> None:
        """Judge by these documents from now on; episodes of clauses that are gone are resolved at the next turn."""
        self._expected.begin_again()
        self._versions.replace(estate)
        self._evaluation.late.forget_documents()
        for key, state in self._states.items():
            self._states.replace_terms(key, self._versions.by_version(key, state))
            if self._versions.bound(key, state.version) is None:
                self._timers.at(self._watermarks.now, key)

    def unknown_contracts(self, measurement: Measurement) -> set[tuple[str, str]]:
        """(contract, version) pairs that were measured by documents this judge has not seen yet."""
        pairs = {(fact.contract, fact.contract_version) for fact in measurement.facts}
        return {pair for pair in pairs if not self._versions.seams.knows(*pair)}

    # State

    def restore(self, key: str, value: bytes) -> None:
        """Take back one record of the state topic. Raises nothing: what cannot be read is kept in ``aside``."""
        self._records.restore(key, value, self._versions.by_version)

    def take_dirty(self) -> dict[str, bytes | None]:
        """What changed since the last call, for the state topic; None deletes."""
        return self._records.take_dirty()

    @property
    def aside(self) -> Aside:
        """What of the state topic could not be read."""
        return self._records.aside

    # What a host shows

    @property
    def clock(self) -> tuple[int, int]:
        """The stages' clock, and the event time up to which all is measured, as the measurements gave them."""
        return self._watermarks.now, self._watermarks.lowest

    def held_by(self) -> list[Watermark]:
        """The input partitions that event time waits for."""
        return self._watermarks.held_by()

    @property
    def held(self) -> tuple[Held, ...]:
        """When event time was behind the clock, the last few times, and by which input partitions."""
        return self._watermarks.held

    @property
    def watermarks(self) -> list[Watermark]:
        """How far each input partition is measured."""
        return self._watermarks.marks

    @property
    def timers(self) -> int:
        """How many times are waited for at which something is due."""
        return len(self._timers)

    @property
    def late(self) -> int:
        """How many events came too late to change what was judged."""
        return self._evaluation.late.total

    def take_late(self) -> Mapping[Late, int]:
        """The same by contract, clause and system, since the last call."""
        return self._evaluation.late.take()

    @property
    def evicted(self) -> int:
        """How many states had to make room for others while they were still going on."""
        return self._eviction.evicted


def _event_order(event: ForwardedEvent) -> tuple[int, str]:
    return event.record["event_time"], event.record["event_id"]


def _unasked(record: Mapping[str, Any], *, old: bool) -> tuple[str, str]:
    if old:
        return "too_old", "it came too long after it was given to be judged"
    if "of" not in record:
        asks = "takes declarations of incidents" if record["kind"] in _OF_INCIDENTS else "follows up on what was broken"
        return "nobody_asks", f"no contract over {record['system']} {asks}"
    waits = "the receipt of a summary" if record["of"] == "summary" else f"answers about changes of {record['system']}"
    return "nobody_asks", f"no contract asks for {waits}"
