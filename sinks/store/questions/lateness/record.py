"""What is on record of how one violation came about, from its events to whoever was told of it.

Rows only; what they mean for how long it took, the modules beside this say. All times are microseconds, UTC; those of
the broker are on the stages' clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from seamwatch.clock import Clock, SystemClock, scaled_clock
from seamwatch.documents import Contract
from seamwatch.documents.defaults import built_in, schedule, suspensions
from seamwatch.errors import UsageError
from seamwatch.judging.found import HEADER, Found, found_of
from seamwatch.record_types import INPUT_TYPES
from sinks.store.client import Store
from sinks.store.questions.rows import rows

# An id may have been given again, where a judge had to let go of a system: the latest episode of it is meant.
_STATES: Final = """
SELECT
    violation_id, contract, contract_version, contract_digest, clause, kind, system, slice, severity, state, step,
    person, summary, acknowledged_by,
    toUnixTimestamp64Micro(opened_at) AS opened_at,
    toUnixTimestamp64Micro(since) AS since,
    toUnixTimestamp64Micro(detected_at) AS detected_at,
    toUnixTimestamp64Micro(acknowledged_at) AS acknowledged_at,
    toUnixTimestamp64Micro(resolved_at) AS resolved_at,
    arrayMap(e -> e.event_id, evidence) AS event_ids,
    arrayMap(e -> assumeNotNull(e.topic), arrayFilter(e -> e.topic IS NOT NULL, evidence)) AS topics,
    arrayFirst(h -> h.key = {header:String}, headers).value AS found,
    toUnixTimestamp64Milli(broker_time) * 1000 AS sent_at
FROM violation AS v
WHERE v.violation_id = {id:String}
    AND v.detected_at = (SELECT max(w.detected_at) FROM violation AS w WHERE w.violation_id = {id:String})
ORDER BY v.broker_time, v.offset
"""

_EVENTS: Final = """
SELECT
    '{type}' AS type, event_id, producer, CAST(topic, 'String') AS topic, partition, offset,
    toUnixTimestamp64Micro(event_time) AS event_time,
    toUnixTimestamp64Milli(broker_time) * 1000 AS arrived_at
FROM {type}
WHERE event_id IN {{ids:Array(String)}}
ORDER BY broker_time, topic, partition, offset
LIMIT 1 BY event_id
"""

_TRIES: Final = """
SELECT
    step, person, channel, result,
    toUnixTimestamp64Micro(sent_at) AS sent_at,
    toUnixTimestamp64Milli(broker_time) * 1000 AS ended_at
FROM page
WHERE violation_id = {id:String} AND news = 'trigger'
ORDER BY sent_at, broker_time, offset
"""

_OUTAGES: Final = """
SELECT
    outage_id, any(o.fault) AS fault, any(o.stage) AS stage, argMax(o.summary, o.detected_at) AS summary,
    toUnixTimestamp64Micro(min(o.since)) AS since,
    toUnixTimestamp64Micro(max(o.until)) AS until
FROM outage AS o
GROUP BY outage_id
HAVING since <= {to:Int64} AND (until IS NULL OR until >= {from:Int64})
ORDER BY since
"""

_CONTRACT: Final = """
SELECT document FROM document
WHERE kind = 'Contract' AND id = {contract:String} AND version = {version:String} AND digest = {digest:String}
    AND NOT retired
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class State:
    """One state of the violation; ``sent_at`` is when the broker took it. ``found`` is None where nothing says it."""

    violation_id: str
    contract: str
    contract_version: str
    clause: str
    kind: str
    system: str
    slice: str | None
    severity: str
    state: str
    step: int
    person: str | None
    summary: str
    opened_at: int
    since: int | None
    detected_at: int
    acknowledged_at: int | None
    acknowledged_by: str | None
    resolved_at: int | None
    sent_at: int
    found: Found | None


@dataclass(frozen=True, slots=True)
class Event:
    """An offending event that was known when the violation opened; ``arrived_at`` is when the broker took it."""

    type: str
    event_id: str
    producer: str
    topic: str
    partition: int
    offset: int
    event_time: int
    arrived_at: int


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt to tell a person of a step, from when the channel was called until what came of it was known."""

    step: int
    person: str
    channel: str
    result: str
    sent_at: int
    ended_at: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a stage did not do its work; ``until`` is None while it goes on."""

    outage_id: str
    fault: str
    stage: str
    summary: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class History:
    """All of it: ``states`` in order, never empty; ``absent`` are ids of its events that are not on record.

    ``contract`` is the version that it was found by, None where its text is not on record.
    """

    states: tuple[State, ...]
    events: tuple[Event, ...]
    absent: tuple[str, ...]
    tries: tuple[Try, ...]
    outages: tuple[Outage, ...]
    contract: Contract | None


def history_of(store: Store, violation_id: str) -> History | None:
    """What is on record of a violation; None where there is none of this id."""
    state_rows = store.rows(_STATES, {"id": violation_id, "header": HEADER})
    if not state_rows:
        return None
    first = state_rows[0]
    # The newest: that the clock slowed down may have been decided after the first was found.
    clock = _clock(found_of(state_rows[-1]["found"]))
    states = tuple(_state(row, clock) for row in state_rows)
    events = _events(store, first["event_ids"], first["topics"], clock)
    there = {event.event_id for event in events}
    tried = [replace(each, ended_at=clock.at(each.ended_at)) for each in rows(store, Try, _TRIES, {"id": violation_id})]
    # An id that was given again was paged before; a page may be dated a little before by another machine's clock.
    tries = tuple(each for each in tried if each.ended_at >= states[0].detected_at)
    begin = min([states[0].opened_at, *(event.arrived_at for event in events)])
    end = max([states[-1].sent_at, *(each.ended_at for each in tries)])
    # Outages are told by the machines' clock: beside times that are scaled they mean nothing.
    asked = {"from": str(begin), "to": str(end)}
    outages = tuple(rows(store, Outage, _OUTAGES, asked)) if isinstance(clock, SystemClock) else ()
    return History(
        states,
        events,
        tuple(name for name in first["event_ids"] if name not in there),
        tries,
        outages,
        _contract(store, first),
    )


def _clock(found: Found | None) -> Clock:
    """The clock that the stages ran on, by which the broker's times are read."""
    if found is None or found.clock is None:
        return SystemClock()
    try:
        return scaled_clock(found.clock)
    except UsageError:
        return SystemClock()


def _state(row: dict[str, Any], clock: Clock) -> State:
    plain = {name: value for name, value in row.items() if name in State.__slots__}
    return State(**{**plain, "sent_at": clock.at(row["sent_at"]), "found": found_of(row["found"])})


def _events(store: Store, ids: Sequence[str], topics: Sequence[str], clock: Clock) -> tuple[Event, ...]:
    """The events of these ids, in the tables of the topics that they came by, ordered by their own times."""
    types = {topic.rpartition(".")[2] for topic in topics} & set(INPUT_TYPES)
    found = [
        replace(each, arrived_at=clock.at(each.arrived_at))
        for record_type in sorted(types)
        for each in rows(store, Event, _EVENTS.format(type=record_type), {"ids": list(ids)})
    ]
    return tuple(sorted(found, key=lambda event: (event.event_time, event.event_id)))


def _contract(store: Store, row: dict[str, Any]) -> Contract | None:
    asked = {"contract": row["contract"], "version": row["contract_version"], "digest": row["contract_digest"]}
    texts = store.rows(_CONTRACT, asked)
    if not texts:
        # Those that are built in are published by nobody.
        return next(
            (each for each in (built_in(), schedule(), suspensions()) if each.digest == row["contract_digest"]), None
        )
    try:
        return Contract.model_validate(json.loads(texts[0]["document"]))
    except ValueError:
        # Written for a release that knows more, or less: then nothing is said of what was agreed.
        return None
