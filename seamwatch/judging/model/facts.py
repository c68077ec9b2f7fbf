"""Facts: the small, mergeable values that measure hands to judge, and the violations judge hands on.

Frozen values and their merging only; the Avro form of each is `schemas/avro/`, its coding `seamwatch.wire`.
All times and durations are microseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from seamwatch.values import value

EVIDENCE_LIMIT = 5


@value(order=True)
class Evidence:
    """One offending event; ordered by (event_time, event_id). Position is None where there was no broker."""

    event_time: int
    event_id: str
    topic: str | None = field(default=None, compare=False)
    partition: int | None = field(default=None, compare=False)
    offset: int | None = field(default=None, compare=False)
    value: float | None = field(default=None, compare=False)
    label: str | None = field(default=None, compare=False)


def merge_evidence(*lists: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The earliest five by (event_time, event_id), each event once: the same however events were batched."""
    if not any(lists):
        return ()
    return tuple(sorted({(e.event_time, e.event_id): e for part in lists for e in part}.values())[:EVIDENCE_LIMIT])


@value()
class Fact:
    """Sufficient statistics of one clause, system, slice and window, over some of the window's events.

    ``breaches`` of ``count`` selected events offended; ``total``, ``minimum``, ``maximum`` and ``histogram``
    are of the measured value, over the events where it is not null (None or empty where nothing is measured).
    ``sums`` has, for each weighed expression in turn, its sum per bin of the histogram, in billionths. ``missing`` has,
    for each condition of the measure's ``missing`` in turn, how many of the selected events it holds for, or for each
    of its ``left_out``, how many events were left out for it; these are not in ``count``. Times are of the selected
    events, and of those left out only where nothing else came.
    """

    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    system: str
    slice: str | None
    window_start: int
    window: int
    count: int
    breaches: int
    first_time: int
    last_time: int
    total: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    histogram: tuple[int, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    measure: str = ""
    sums: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()

    @property
    def window_end(self) -> int:
        """The first microsecond after the window."""
        return self.window_start + self.window


@dataclass(frozen=True, slots=True)
class ForwardedEvent:
    """A rare input event (a change, an acknowledgement, a refresh, an attestation), passed on as it was read.

    ``arrived`` is the broker's time on the stages' clock; None where there was no broker.
    """

    type: str
    record: dict[str, Any]
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    arrived: int | None = None


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far one input partition has been measured: nothing earlier than ``watermark`` is still to arrive.

    ``progress`` is the event time that its events have reached while events are coming, and None once it is quiet:
    what tells how far a history has got that is loaded in bulk, long after its time. ``waiting`` is the event time of
    the earliest outcome of this partition that still waits for its decision, among those that concern who is told;
    None when none does.
    """

    topic: str
    partition: int
    offset: int
    watermark: int
    caught_up: bool
    progress: int | None = None
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Events of a system of which a clause's condition could not be told.

    ``odd``: because of what is given in them; ``absent``: because something is not given.
    """

    contract: str
    clause: str
    system: str
    odd: int
    absent: int


@dataclass(frozen=True, slots=True)
class InputPartitions:
    """How many partitions each input topic had: ``partitions`` are pairs of topic and number, all topics of them.

    ``as_of`` is the clock of whoever asked, before it asked: what was appended earlier lies in these partitions.
    """

    as_of: int
    partitions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one flush of measure says to one partition of judge.

    ``began`` is the earliest event time that this process has measured so far, on any topic. ``unknowns`` are told,
    and not judged. ``inputs`` says which partitions there are, of whichever process: without it, those that watermarks
    are told of are taken for all.
    """

    measured_at: int
    watermarks: tuple[Watermark, ...] = ()
    facts: tuple[Fact, ...] = ()
    events: tuple[ForwardedEvent, ...] = ()
    began: int | None = None
    unknowns: tuple[Unknown, ...] = ()
    inputs: InputPartitions | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """One state of one episode, as it goes to the violation topics; fields as in `schemas/avro/violation.avsc`."""

    violation_id: str
    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    kind: str
    system: str
    slice: str | None
    severity: str
    state: str
    observed: float | None
    limit: float | None
    unit: str | None
    summary: str
    opened_at: int
    since: int | None
    detected_at: int
    person: str | None
    step: int = 0
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    resolved_at: int | None = None
    evidence: tuple[Evidence, ...] = ()
    unsigned_by: tuple[str, ...] = ()


DRILL: Final = "drill"
"""The severity of a violation that is none: people are paged for practice."""

CLIMBING: Final = frozenset({"breach", DRILL})
"""The severities of what climbs the escalation list."""

OBJECTION = "objection"
"""The unit of a violation that is somebody's objection to a change, where who is asked first may withdraw that."""

UNANNOUNCED = "unannounced"
"""The unit of a violation that is traffic of a change before it was announced, in effect and accepted."""

WITHDRAWN = "withdrawn"
"""The kind of a notice that tells of a withdrawal, in place of a clause's."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told that is no violation: a reminder of a running clock, a scheduled summary, a withdrawal."""

    notice_id: str
    type: str
    contract: str
    contract_version: str
    contract_digest: str
    clause: str
    kind: str
    system: str
    slice: str | None
    person: str
    summary: str
    due_at: int
    detected_at: int


@dataclass(frozen=True, slots=True)
class Suspended:
    """What holds of a system, a version or a tool; fields as in `schemas/avro/suspended.avsc`."""

    suspension_id: str
    system: str
    version: str | None
    tool: str | None
    state: str
    person: str | None
    reason: str
    evidence_uri: str | None
    since: int
    until: int | None
    contract: str | None
    violation_id: str | None
    judged_at: int

    @property
    def key(self) -> str:
        """The key of its message: what it is about."""
        return json.dumps([self.system, self.version, self.tool], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was made of an acknowledgement or a suspension; fields as in `schemas/avro/verdict.avsc`."""

    acknowledgement_id: str
    system: str
    of: str
    reference: str
    person: str
    answer: str
    counted: bool
    reason: str
    summary: str
    contract: str | None
    contract_version: str | None
    clause: str | None
    answered_at: int
    judged_at: int
