"""A contract changes while events arrive out of order: the real stages judge them as a replay does."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import HOUR, MINUTE
from streams.replay.replay import replay
from tests.clauses.history import PEOPLE
from tests.engine.changing import history, three
from tests.streams.stages import CODEC, Scene
from tests.streams.test_live_is_replay import seen
from tests.waiting import wait_for


@pytest.mark.timeout(600)
def test_across_changes_of_version_live_is_replay(scene: Scene) -> None:
    chance = random.Random(3)
    begin = time.time_ns() // 1_000 // HOUR * HOUR - 3 * HOUR
    first = begin + 41 * MINUTE + 1_234_567
    versions = three(first, first + 37 * MINUTE)
    scene.publish(PEOPLE.removesuffix("---\n"), *versions[:1])
    scene.start("measure")
    scene.start("judge")
    scene.caught_up("measure")
    # The later versions are published while the stages run; measure looks for them once a second.
    scene.publish(PEOPLE.removesuffix("---\n"), *versions)
    time.sleep(2.5)
    events = history(chance, begin)
    last = events[-1][1]["event_time"]
    judged = replay(Estate.load(scene.folder), events, now=last + HOUR)
    expected = {seen(violation) for violation in judged if violation.opened_at <= last}
    assert len({violation.contract_version for violation in judged}) == 3

    for number, (record_type, record) in enumerate(chance.sample(events, len(events))):
        # Without a key: whatever comes to a partition comes in any order.
        scene.send(record_type, CODEC.encode(record_type, record))
        if number == len(events) // 2:
            scene.kill("judge")
            scene.start("judge")

    scene.caught_up("measure")

    def live() -> set[tuple[object, ...]]:
        latest = {v["violation_id"]: v for v in scene.violations(*{violation.kind for violation in judged})}
        return {seen(v) for v in latest.values() if v["opened_at"] <= last}

    with contextlib.suppress(AssertionError):
        wait_for(lambda: live() == expected, "the violations of the replay")
    assert live() == expected
