"""A history loaded in bulk into a stream in this process: partitions, starved reads, kills and clocks, from one seed.

Whatever happens, what is found is to be what `streams.replay` finds in the same history.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bus.partitions import partition_of
from seamwatch.documents import Estate
from seamwatch.durations import SECOND
from seamwatch.judging.model.facts import Verdict, Violation
from streams.testing.stream import ROUND, Stream

PARTITIONS = 3
_LARGEST_READ = 3_000
_SETTLES = 25 * SECOND


@dataclass(frozen=True, slots=True)
class Load:
    """How a history is loaded: ``keyed`` by system or spread, over ``seconds``, with or without kills.

    ``starved``: how often a partition that has something is not read in a round, from 0 to 1.
    """

    seed: int
    keyed: bool = True
    seconds: float = 2.0
    kills: bool = True
    starved: float = 0.3


def loaded(
    estate: Estate,
    events: Sequence[tuple[str, Mapping[str, Any]]],
    load: Load,
    begin: int,
    hear: Callable[[Verdict], None] = lambda _verdict: None,
) -> dict[str, Violation]:
    """The latest state of every violation, by its id, once the history is loaded and all has settled.

    ``events`` are (record type, record) pairs in the order in which they are sent, from ``begin`` on (micros).
    """
    chance = random.Random(load.seed)  # noqa: S311 - the same accidents each time
    stream = Stream(estate, now=begin - SECOND, partitions=PARTITIONS)
    for number, (record_type, record) in enumerate(events):
        partition = partition_of(record["system"], PARTITIONS) if load.keyed else chance.randrange(PARTITIONS)
        at = begin + int(number * load.seconds * SECOND / len(events))
        stream.put(record_type, record, partition=partition, at=at)
    kills = {chance.randrange(1, 20): what for what in ("measure", "judge", "judge")} if load.kills else {}

    def reads(there: int) -> int:
        return 0 if chance.random() < load.starved else min(there, chance.randrange(1, _LARGEST_READ))

    rounds, end = 0, begin + int(load.seconds * SECOND) + _SETTLES
    while stream.now < end or stream.unread:
        stream.now += ROUND
        rounds += 1
        if kills.get(rounds) == "measure":
            stream.restart_measure(away=chance.randrange(1, 12) * SECOND)
        if kills.get(rounds) == "judge":
            stream.restart_judge()
        stream.round(reads)
    for verdict in stream.verdicts:
        hear(verdict)
    return {violation.violation_id: violation for violation in stream.violations}
