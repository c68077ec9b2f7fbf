"""Parting: what one flush tells a judge, in as many records as it takes, since a topic takes records up to a size only.

Facts and events keep their order. What fits goes together; nothing is encoded or produced here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from seamwatch.judging.model.facts import Fact, ForwardedEvent

FACTS_A_RECORD = 1_000
EVIDENCE_A_RECORD = 5_000
EVENTS_A_RECORD = 200
UNKNOWNS_A_RECORD = 2_000
EVENT_BYTES_A_RECORD = 1 << 20
"""So many beside the facts of a record; a larger event goes by itself."""

Part = tuple[tuple[Fact, ...], tuple[ForwardedEvent, ...]]


def parts_of(
    facts: Sequence[Fact], events: Iterable[ForwardedEvent], size_of: Callable[[ForwardedEvent], int]
) -> list[Part]:
    """The facts and events of each record, one record at least; ``size_of`` tells the bytes of an event."""
    left = iter(_records_of_facts(facts))
    parts: list[Part] = []
    for some, size in _records_of_events(events, size_of):
        parts.append((() if size > EVENT_BYTES_A_RECORD else next(left, ()), some))
    parts += ((some, ()) for some in left)
    return parts or [((), ())]


def _records_of_facts(facts: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    # As many facts a record as it can hold: some bring a thousand rows of evidence, most bring five or none.
    begun = rows = 0
    for number, fact in enumerate(facts):
        rows += len(fact.evidence)
        if number - begun == FACTS_A_RECORD or (rows > EVIDENCE_A_RECORD and number > begun):
            yield tuple(facts[begun:number])
            begun, rows = number, len(fact.evidence)
    if facts:
        yield tuple(facts[begun:])


def _records_of_events(
    events: Iterable[ForwardedEvent], size_of: Callable[[ForwardedEvent], int]
) -> Iterator[tuple[tuple[ForwardedEvent, ...], int]]:
    # With their bytes.
    held: list[ForwardedEvent] = []
    size = 0
    for event in events:
        own = size_of(event)
        if held and (len(held) == EVENTS_A_RECORD or size + own > EVENT_BYTES_A_RECORD):
            yield tuple(held), size
            held, size = [], 0
        held.append(event)
        size += own
    if held:
        yield tuple(held), size
