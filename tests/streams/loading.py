"""A history loaded in bulk, played without a broker: partitions, flushes, ends, kills and clocks, all from one seed.

What is played is what lies between the topics and the violations: the real plan, progress and judge. The broker, the
codec and the loop are the business of the tests with a real one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seamwatch.columnar.columns import frame_of
from seamwatch.documents import Estate
from seamwatch.durations import DAY, SECOND
from seamwatch.judging.facts import Fact, ForwardedEvent, Measurement, Verdict, Violation
from seamwatch.judging.judge import Judge
from seamwatch.wire.schemas import INPUT_TYPES
from streams.dedup import RecentIds
from streams.measure import MEASURED
from streams.partitions import partition_of
from streams.plan import Plan
from streams.progress import Progress

PARTITIONS = 3
ROUND = SECOND // 5
Place = tuple[str, int]
Event = tuple[str, dict[str, Any]]


@dataclass
class Load:
    """How a history is loaded: ``keyed`` by system or spread, over ``seconds``, with or without kills."""

    seed: int
    keyed: bool = True
    seconds: float = 2.0
    kills: bool = True
    starved: float = 0.3
    sent: dict[Place, list[tuple[int, Event]]] = field(default_factory=dict)


def loaded(
    estate: Estate,
    events: Sequence[Event],
    load: Load,
    begin: int,
    hear: Callable[[Verdict], None] = lambda _verdict: None,
) -> dict[str, Violation]:
    """The latest state of every violation once the history is loaded, from ``begin`` on, and all has settled."""
    chance = random.Random(load.seed)
    places = [(f"seamwatch.{name}", number) for name in INPUT_TYPES for number in range(PARTITIONS)]
    sent: dict[Place, list[tuple[int, Event]]] = {place: [] for place in places}
    for number, event in enumerate(events):
        partition = partition_of(event[1]["system"], PARTITIONS) if load.keyed else chance.randrange(PARTITIONS)
        when = begin + int(number * load.seconds * SECOND / len(events))
        sent[f"seamwatch.{event[0]}", partition].append((when, event))

    now = begin - SECOND
    progress = Progress(DAY, lambda: now / SECOND)
    progress.assigned(places)
    plan, judge = Plan(estate, RecentIds()), Judge(estate)
    position = dict.fromkeys(places, 0)
    state: dict[str, bytes] = {}
    latest: dict[str, Violation] = {}
    asked = 0
    kill = {chance.randrange(1, 20): what for what in ("measure", "judge", "judge")} if load.kills else {}
    rounds = 0
    while now < begin + int(load.seconds * SECOND) + 25 * SECOND or any(position[p] < len(sent[p]) for p in places):
        now += ROUND
        rounds += 1
        if kill.get(rounds) == "measure":
            now += chance.randrange(1, 12) * SECOND
            progress.forget()
            progress.assigned(places)
            plan = Plan(estate, RecentIds())
        if kill.get(rounds) == "judge":
            judge = Judge(estate)
            for key, value in state.items():
                judge.restore(key, value)
        if now - asked >= SECOND // 2:
            asked = now
            ends = {place: sum(when <= now - ROUND for when, _ in queue) for place, queue in sent.items()}
            progress.told(now - ROUND, ends)
        facts: list[Fact] = []
        rare: list[ForwardedEvent] = []
        for topic in dict.fromkeys(place[0] for place in places):
            _read(topic, sent, position, now, chance, load, plan, progress, facts, rare)
        measurement = Measurement(now, progress.watermarks(position), tuple(facts), tuple(rare), progress.began)
        output = judge.on_measurement(measurement)
        for violation in output.violations:
            latest[violation.violation_id] = violation
        for verdict in output.verdicts:
            hear(verdict)
        for key, saved in judge.take_dirty().items():
            if saved is None:
                state.pop(key, None)
            else:
                state[key] = saved
    return latest


def _read(
    topic: str,
    sent: Mapping[Place, list[tuple[int, Event]]],
    position: dict[Place, int],
    now: int,
    chance: random.Random,
    load: Load,
    plan: Plan,
    progress: Progress,
    facts: list[Fact],
    rare: list[ForwardedEvent],
) -> None:
    record_type = topic.removeprefix("seamwatch.")
    records: list[dict[str, Any]] = []
    for number in range(PARTITIONS):
        place = (topic, number)
        there = sum(when <= now for when, _ in sent[place]) - position[place]
        if not there or chance.random() < load.starved:
            continue
        batch = sent[place][position[place] :][: chance.randrange(1, 3_000)][:there]
        position[place] += len(batch)
        times = [event[1]["event_time"] for _, event in batch]
        progress.measured(place, (min(times), max(times)), now)
        records += [event[1] for _, event in batch]
        if record_type not in MEASURED:
            rare += [ForwardedEvent(record_type, event[1], topic, number, 0, when) for when, event in batch]
    for source in MEASURED:
        if source == record_type and records:
            facts += plan.facts(source, frame_of(record_type, records))
