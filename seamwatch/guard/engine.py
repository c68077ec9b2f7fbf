"""The engine: judges one act after another, remembers it, and reports it. No I/O of its own; safe between threads.

An act is judged as the event that will report it, first as one that is allowed. What it does to the memory is what
the reported event does to the stream: a call that was denied is reported as such, and counts where the clause counts
such calls.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from seamwatch.clock import Clock
from seamwatch.documents import Estate
from seamwatch.errors import SeamwatchError
from seamwatch.expressions.arguments import Unreadable
from seamwatch.expressions.closure import Row
from seamwatch.guard.arguments import Read, read
from seamwatch.guard.checks import Asked
from seamwatch.guard.memory import Memory, Talk
from seamwatch.guard.overdue import Overdue
from seamwatch.guard.plan import Asking, Plan
from seamwatch.guard.verdict import Decision, Fault, Verdict
from seamwatch.sdk.reporter import Reporter
from seamwatch.wire.events import Event, Inference, ToolCall, new_event_id

if TYPE_CHECKING:
    from seamwatch.guard.suspensions import Suspensions

_log = logging.getLogger("seamwatch.guard")


@dataclass(frozen=True, slots=True)
class Options:
    """How a guard is to work; see `Guard`."""

    system: str
    version: str
    config_digest: str | None
    uncovered: Literal["denied", "allowed"]
    conversations: int
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as the agent asks for it."""

    tool: str
    arguments: Mapping[str, Any] | str | None = None
    trace: str | None = None
    parent_id: str | None = None
    confidence: float | None = None
    resource: str | None = None
    authorisation: str | None = None
    attributes: Mapping[str, str] | None = None
    call_id: str | None = None
    reviewed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """An act with its verdict and the record that reports it."""

    verdict: Verdict
    record: Mapping[str, Any]


class Engine:
    """Judges the acts of one system by an estate. Raises nothing of its own: what cannot be judged is denied."""

    def __init__(
        self,
        estate: Estate,
        options: Options,
        emitter: Reporter | None,
        clock: Clock,
        suspensions: Suspensions | None = None,
    ) -> None:
        self._suspensions = suspensions
        self._estate = estate
        self._options = options
        self._emitter = emitter
        self._clock = clock
        self._memory = Memory(options.conversations)
        self._lock = threading.Lock()
        self._plan = Plan(estate, options.system, clock.now())
        self.overdue = Overdue()
        if emitter is not None:
            emitter.before_closing(self.overdue.finish)

    @property
    def plan(self) -> Plan:
        """The clauses in force."""
        return self._plan

    def replace_estate(self, estate: Estate) -> None:
        """Judge by these documents from now on; what is remembered stays."""
        plan = Plan(estate, self._options.system, self._clock.now())
        with self._lock:
            self._estate, self._plan = estate, plan

    # Calls

    def judge_call(self, call: Call) -> Judged:
        """The verdict on a call, which from now on counts as its decision says."""
        given = read(call.arguments, self._options.largest)
        record, fault = self._record(call, given)
        stopped = self._stopped(record["version"], record["tool"])
        fault = stopped or fault
        with self._lock:
            talk = self._memory.talk(call.trace)
            if call.call_id is None or call.trace is None:
                # Outside a conversation an id says nothing: frameworks count them anew in each.
                return self._judge_call(call, record, given, fault, talk)
            print_of_it = (record["tool"], record["arguments"])
            before: tuple[tuple[str, str], Judged] | None = talk.seen.get(record["event_id"])
            if before is None:
                judged = self._judge_call(call, record, given, fault, talk)
                talk.seen.put(record["event_id"], (print_of_it, judged))
                return judged
            again = before[0] == print_of_it
            if again and (stopped is None or not before[1].verdict.permitted):
                return _repeated(before[1], call)
            # Another act: reported as one of its own, or the stream would take it for the first.
            other = record | {"event_id": new_event_id()}
            if again:
                return self._judge_call(call, other, given, stopped, talk)
            reused = Fault(f"the call id {call.call_id!r} is that of an earlier call with other arguments")
            return self._judge_call(call, other, given, fault or reused, talk)

    def _record(self, call: Call, given: Read) -> tuple[dict[str, Any], Fault | None]:
        """The record that reports the call, with what can be said of it, and what is wrong with the call itself."""
        fault = None if given.fault is None else Fault(given.fault)
        tool, confidence, resource, authorisation = call.tool, call.confidence, call.resource, call.authorisation
        if not _is_text(tool) or not tool:
            tool, fault = ascii(tool), Fault("its tool has no name that is text")
        if resource is not None and not _is_text(resource):
            resource, fault = ascii(resource), Fault("its resource is no text")
        if authorisation is not None and not _is_text(authorisation):
            authorisation, fault = ascii(authorisation), Fault("its authorisation is no text")
        if confidence is not None and not _is_share(confidence):
            fault = Fault(f"its confidence is {confidence!r}, which is no share from 0 to 1")
            confidence = None
        attributes = {_text(k): _text(v) for k, v in (call.attributes or {}).items()} | dict(given.attributes)
        event_id = new_event_id()
        if call.call_id is not None:
            attributes["call_id"] = _text(call.call_id)
            if call.trace is not None:
                named = f"{self._options.system}\x1f{call.trace}\x1f{attributes['call_id']}"
                event_id = str(uuid.uuid5(_CALLS, named))
        if call.reviewed_by is not None:
            attributes["reviewed_by"] = _text(call.reviewed_by)
        record = {
            "event_id": event_id,
            "event_time": 0,
            "producer": self._emitter.producer if self._emitter is not None else "",
            "environment": self._emitter.environment if self._emitter is not None else "",
            "trace_id": call.trace,
            "parent_id": call.parent_id,
            "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
            "system": self._options.system,
            "version": self._options.version,
            "config_digest": self._options.config_digest,
            "tool": tool,
            "arguments": given.text,
            "resource": resource,
            "authorisation": authorisation,
            "decision": "escalated" if call.reviewed_by is not None else "allowed",
            "confidence": confidence,
            "outcome": None,
        }
        return record, fault

    def _judge_call(self, call: Call, record: dict[str, Any], given: Read, fault: Fault | None, talk: Talk) -> Judged:
        asked = self._asked(record, given.values, call.trace, talk)
        if record["authorisation"] is None:
            record["authorisation"] = self._plan.basis
        asking = self._plan.asked_of_calls(record["tool"])
        decision, faults, warnings = self._decide(asking, asked, fault, reviewed=call.reviewed_by is not None)
        if faults and not (decision == "escalated" and call.reviewed_by is not None):
            record["authorisation"] = faults[0].reference or record["authorisation"]
        record["decision"] = decision
        unheld = self._note(asking, asked, record)
        if unheld is not None:
            decision, faults = "denied", (*faults, unheld)
            record["decision"] = decision
        verdict = Verdict(
            decision,
            f"the call of {record['tool']}",
            record["event_id"],
            record["authorisation"],
            faults,
            warnings,
            call.reviewed_by,
        )
        return Judged(verdict, record)

    # Decisions

    def judge_decision(self, trace: str | None, fields: Mapping[str, Any], reviewed_by: str | None) -> Judged:
        """The verdict on a decision of the model. One that is denied is not made, and so neither counts nor is told.

        Raises TypeError for fields that an inference does not have.
        """
        given = {"config_digest": self._options.config_digest, "version": self._options.version} | dict(fields)
        if reviewed_by is not None:
            attributes = dict(given.get("attributes") or {}) | {"reviewed_by": reviewed_by}
            given |= {"human_review": True, "attributes": attributes}
        event = Inference(**given, system=self._options.system, trace_id=trace)
        left_out = {
            "event_time": 0,
            "producer": self._emitter.producer if self._emitter is not None else "",
            "environment": self._emitter.environment if self._emitter is not None else "",
        }
        record = event.record(**left_out)
        confidence = record["confidence"]
        fault = None
        if confidence is not None and not _is_share(confidence):
            fault = Fault(f"its confidence is {confidence!r}, which is no share from 0 to 1")
        fault = self._stopped(record["version"], None) or fault
        with self._lock:
            asked = self._asked(record, {}, trace, self._memory.talk(trace))
            asking = self._plan.asked_of_decisions()
            decision, faults, warnings = self._decide(asking, asked, fault, reviewed=reviewed_by is not None)
            if decision == "escalated":
                record["human_review"] = True
            unheld = None if decision == "denied" else self._note(asking, asked, record)
            if unheld is not None:
                decision, faults = "denied", (*faults, unheld)
        basis = faults[0].reference if faults else None
        event_id = None if decision == "denied" else record["event_id"]
        verdict = Verdict(decision, "the decision", event_id, basis, faults, warnings, reviewed_by)
        return Judged(verdict, record)

    # Judging

    def _stopped(self, version: object, tool: str | None) -> Fault | None:
        """That it is suspended, whatever the clauses say."""
        if self._suspensions is None:
            return None
        why = self._suspensions.why_not(self._options.system, version, tool, self._clock.now())
        return None if why is None else Fault(why)

    def _asked(
        self, record: dict[str, Any], values: Mapping[str, Any] | Unreadable, trace: str | None, talk: Talk
    ) -> Asked:
        now = self._memory.stamp(talk, self._clock.now())
        record["event_time"] = now
        if not self._plan.in_force(now):
            self._plan = Plan(self._estate, self._options.system, now)
        return Asked(Row(record, values), now, trace, talk, self._memory)

    def _decide(
        self, asking: tuple[Asking, ...], asked: Asked, fault: Fault | None, *, reviewed: bool
    ) -> tuple[Decision, tuple[Fault, ...], tuple[Fault, ...]]:
        faults = [] if fault is None else [fault]
        if not self._plan.covered and self._options.uncovered == "denied":
            faults.append(Fault(f"no contract covers {self._options.system}, and no policy is not permission"))
        doubts: list[Fault] = []
        warnings: list[Fault] = []
        try:
            for one in asking:
                if one.bound.offends(asked):
                    said = replace(one.fault, why=one.bound.why(asked))
                    (warnings if one.warns else doubts if one.hands_over else faults).append(said)
            if doubts and not faults and not reviewed:
                # Judged as what it becomes; a clause may speak of that as well.
                asked.row.record = {**asked.row.record, "decision": "escalated", "human_review": True}
                stopping = (one for one in asking if not one.warns and not one.hands_over)
                faults += [replace(one.fault, why=one.bound.why(asked)) for one in stopping if one.bound.offends(asked)]
        except Exception as error:  # noqa: BLE001 - what cannot be judged is denied
            _log.exception("an act of %s could not be judged", self._options.system)
            faults.append(Fault(f"it could not be judged ({type(error).__name__}: {error})"))
        if faults:
            return "denied", tuple(faults + doubts), tuple(warnings)
        return ("escalated" if doubts or reviewed else "allowed"), tuple(doubts), tuple(warnings)

    def _note(self, asking: tuple[Asking, ...], asked: Asked, record: Mapping[str, Any]) -> Fault | None:
        """Remember the act as it is reported. What cannot be remembered must not happen: the fault says so."""
        asked.row.record = record
        try:
            for one in asking:
                one.bound.note(asked)
        except Exception as error:  # noqa: BLE001 - what cannot be remembered is denied
            _log.exception("an act of %s could not be remembered", self._options.system)
            return Fault(f"it could not be remembered ({type(error).__name__}: {error})")
        return None

    # Evidence

    def report(self, judged: Judged, outcome: str | None = None) -> None:
        """Report an act, with what came of it. What the emitter refuses is logged by it; a strict one raises."""
        if self._emitter is None or judged.verdict.event_id is None:
            return
        # Making and encoding it takes as long as judging did, and nobody need wait for that.
        self._emitter.emit_later(lambda: _event(judged.record, outcome))

    def report_while(self, judged: Judged, outcome: str | None) -> None:
        """As `report`, where something else comes first: an error that ends the act, the tool's answer."""
        try:
            self.report(judged, outcome)
        except SeamwatchError:
            _log.exception("an act of %s could not be reported", self._options.system)


_CALLS = uuid.UUID("8f0f2b3e-0a57-5c5c-9d4e-5d0a3c2f7b11")
"""Names the event ids that are made of call ids."""


def _repeated(before: Judged, call: Call) -> Judged:
    verdict = replace(before.verdict, repeated=True)
    if verdict.decision != "escalated" or call.reviewed_by is None:
        return Judged(verdict, before.record)
    attributes = [*before.record["attributes"], {"key": "reviewed_by", "value": call.reviewed_by}]
    return Judged(replace(verdict, reviewed_by=call.reviewed_by), {**before.record, "attributes": attributes})


def _event(record: Mapping[str, Any], outcome: str | None) -> Event:
    given = dict(record) | {"attributes": {item["key"]: item["value"] for item in record["attributes"]}}
    return ToolCall(**given | {"outcome": outcome}) if "tool" in given else Inference(**given)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object) -> str:
    return str(value) if _is_text(str(value)) else ascii(value)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
