"""What goes into a clause's judge and what comes out of it: inputs, moments, judgements.

Values only; the engine routes them. All times are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent
from seamwatch.values import value


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline that the clause asked for has come, or its stream went quiet.

    ``ended``: the input is over for good, so that nothing can follow (a replay's end).
    """

    ended: bool = False


EXPECTED = "expected"
"""The type of an input that a clause may want (`Clause.wants`) to receive once: the event time from which on it is due
to receive something of a declared data set. No producer sends it."""

IN_FORCE = "in_force"
"""The same of a contract version, of when it is in force: received under the system that stands for all it covers."""

ENDED = "ended"
"""The same of an episode of another clause of its contract over the system that is over: what was broken, and when it
ended."""

OPENED = "opened"
"""The same of an episode of another clause of its contract over the system that opens: what was broken, and since
when."""

Input = Fact | ForwardedEvent | TimePassed


@value()
class Moment:
    """The stream's time.

    - ``now``: the stream's clock when this was measured.
    - ``watermark``: event time before which nothing more is expected (allowed lateness already taken off).
    - ``settle``: how long after an arrival its neighbours on other topics and partitions may still be on the way.
    - ``horizon``: inputs of event time before this are too old, and open nothing.
    - ``slice``: the slice whose state is judged (None for a state that serves the whole system).
    """

    now: int
    watermark: int
    settle: int = 0
    horizon: int = -(2**62)
    slice: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """An episode opens or, when it is open already (same slice, severity and key), is updated.

    ``key`` tells episodes of the same slice and severity apart (the window or reading it began with), so that the
    violation's id is the same wherever and whenever it is judged. ``person`` overrides the first of the list;
    ``said_by`` is who said what was found, and is never asked to act on it; ``unsigned_by`` are the persons whose
    signature is missing.
    """

    severity: Literal["warning", "breach", "drill"]
    key: str
    opened_at: int
    summary: str
    slice: str | None = None
    since: int | None = None
    observed: float | None = None
    limit: float | None = None
    unit: str | None = None
    person: str | None = None
    said_by: str | None = None
    evidence: tuple[Evidence, ...] = ()
    unsigned_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolve:
    """An open episode ends at event time ``at``; ``summary`` replaces its sentence when given."""

    severity: Literal["warning", "breach", "drill"]
    key: str
    at: int
    slice: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Remind:
    """A person is told of a running clock or a summary; ``key`` makes it go out once.

    ``of_system``: what it tells is no clause's own, so that of several clauses over the system one tells it.
    """

    type: Literal["reminder", "summary"]
    key: str
    person: str
    summary: str
    due_at: int
    slice: str | None = None
    of_system: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What an acknowledgement or a suspension came to.

    ``reason`` is one word (docs/paging.md), ``summary`` one sentence, ``at`` the event time of what was said.
    """

    acknowledgement_id: str
    of: str
    reference: str
    person: str
    answer: str
    at: int
    counted: bool
    reason: str
    summary: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """What holds from now on of a target: that it is suspended, or resumed. Fields as in `facts.Suspended`."""

    suspension_id: str
    version: str | None
    tool: str | None
    state: Literal["suspended", "resumed"]
    person: str | None
    reason: str
    evidence_uri: str | None
    since: int
    until: int | None
    contract: str | None
    violation_id: str | None


Finding = Open | Resolve | Remind | Answered | Suspend


@value()
class Judgement:
    """What a judge answers.

    - ``state``: the new state; None forgets it.
    - ``deadline``: ask again when the watermark has reached this event time.
    - ``wake``: ask again when the stream's clock shows this (for quiet streams).
    """

    state: Any
    findings: tuple[Finding, ...] = ()
    deadline: int | None = None
    wake: int | None = None
    late: int = 0
