"""kill -9 at any instant, and partitions that move: every event is counted exactly once, and so is every breach."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence

from tests.sinks.mixed import Sent
from tests.streams.stages import PEOPLE, RANGE, Scene, beside, contract, counted, inferences
from tests.waiting import wait_for

CLAUSES = (
    RANGE
    + """
- {id: tools, kind: scope, tools: [{tool: find}]}
- {id: fresh, kind: freshness, max_lag: 100d}
- {id: told, kind: change_notice, acknowledgers: [owner@example.org], acknowledge_within: 40d}
"""
)
EVENTS = 20_000
BREACHING = 10  # every tenth
OTHER = 10
"""Of so many inferences one has a message of another kind beside it."""


def feed(scene: Scene, events: int, kills: int, victims: list[tuple[str, str]], seed: int = 3) -> list[Sent]:
    """Produce so many events over some seconds, killing and restarting stages in the middle; what went beside them."""
    chance = random.Random(seed)
    others = list(beside(scene.topics, events // OTHER))
    moments = {(n + 1) * events // (kills + 1) + chance.randrange(-500, 500): n for n in range(kills)}
    for number, (system, value) in enumerate(inferences(events, systems=10, every=BREACHING + 1)):
        scene.send("inference", value, system)
        if number % OTHER == 0:
            scene.send_as_it_is(others[number // OTHER])
        if number % 500 == 499:
            time.sleep(0.05)
        if number in moments:
            stage, instance = victims[moments[number] % len(victims)]
            scene.kill(stage, instance)
            scene.start(stage, instance)
            time.sleep(chance.random())
    return others


def account(scene: Scene, events: int, others: Sequence[Sent] = ()) -> None:
    """Every event and breach is in the facts once, every violation has one id and opened once, and every message that
    nobody could read is a dead letter once."""
    breaches = -(-events // (BREACHING + 1))
    measurements = scene.measurements()
    assert counted(measurements) == (events, breaches)
    assert counted(measurements, "scores") == (breaches, breaches)
    scene.caught_up("judge")
    wait_for(lambda: len(_opened(scene)) >= 10, "a violation of each system")
    opened = _opened(scene)
    assert set(opened) == {f"system-{n}" for n in range(10)}
    assert all(count == 1 for count in opened.values()), opened
    letters = Counter((each["topic"], each["partition"], each["offset"]) for each in scene.dead_letters())
    assert set(letters.values()) <= {1}
    assert Counter(place[0] for place in letters) == Counter(each.topic for each in others if not each.good)


def _opened(scene: Scene) -> Counter[str]:
    states = [
        (violation["system"], violation["violation_id"], tuple(e["event_id"] for e in violation["evidence"]))
        for violation in scene.violations("range")
        if violation["state"] == "open" and violation["clause"] == "scores"
    ]
    # An open violation is told again when its evidence grows; the very same state twice would be a repetition.
    assert len(states) == len(set(states))
    return Counter({system: len({v for s, v, _ in states if s == system}) for system, _, _ in states})


def test_kills_of_measure_and_judge_neither_lose_nor_repeat(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    scene.start("measure")
    scene.start("judge")
    time.sleep(2)
    others = feed(scene, EVENTS, 6, [("measure", "a"), ("judge", "a")])
    scene.caught_up("measure")
    account(scene, EVENTS, others)


def test_partitions_that_move_between_processes_neither_lose_nor_repeat(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    scene.start("measure", "a")
    scene.start("judge", "a")
    time.sleep(2)
    events = list(inferences(EVENTS, systems=10, every=BREACHING + 1))
    others = list(beside(scene.topics, EVENTS // OTHER))
    for number, (system, value) in enumerate(events):
        scene.send("inference", value, system)
        if number % OTHER == 0:
            scene.send_as_it_is(others[number // OTHER])
        if number % 500 == 499:
            time.sleep(0.05)
        if number == EVENTS // 4:
            scene.start("measure", "b")
            scene.start("judge", "b")
            time.sleep(3)
    scene.caught_up("measure")
    account(scene, EVENTS, others)
