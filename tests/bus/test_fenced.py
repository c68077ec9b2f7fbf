"""A process whose place another has taken is told so once: it ends, and does not live on and read nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from confluent_kafka import Consumer

from bus import clients
from bus.batches import Batch
from bus.loop import Loop, Output
from bus.loop_settings import LoopSettings
from bus.partitions import Partition
from seamwatch.errors import SeamwatchError, StageError
from tests.streams.stages import Scene
from tests.waiting import PATIENCE, wait_for


class Held:
    """A stage that never has anything to commit, so that no commit tells it that it is out; held, it reads nothing."""

    def __init__(self) -> None:
        self.assignments = 0
        self.idle = threading.Event()
        self.released = threading.Event()

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        self.assignments += 1

    def forget(self) -> None: ...

    def due(self) -> bool:
        if self.assignments:
            self.idle.set()
            self.released.wait(PATIENCE)
        return False

    def compute(self, batch: Batch) -> Sequence[Output]:
        raise AssertionError("nothing was sent")


class Member:
    """Another member of a group, polled on a thread of its own."""

    def __init__(self, bootstrap: str, group: str, instance: str, topics: Sequence[str]) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "group.instance.id": f"{group}-{instance}",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": 10_000,
            }
        )
        self._consumer.subscribe(list(topics))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._consumer.poll(0.1)
        self._consumer.close()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)


@pytest.mark.parametrize("moving", [False, True])
def test_a_loop_whose_place_is_taken_ends(scene: Scene, moving: bool) -> None:
    """Also when its partitions move at the same time, and it learns of both at once."""
    group, topics = f"{scene.prefix}.held", (scene.topics.measurement,)
    stage = Held()
    loop = Loop(LoopSettings(scene.kafka, group, "a", topics), stage)
    ended: list[SeamwatchError] = []

    def run() -> None:
        try:
            loop.run()
        except SeamwatchError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    with ExitStack() as ends:
        ends.callback(thread.join, 15)
        ends.callback(loop.stop)
        ends.callback(stage.released.set)
        thread.start()
        assert stage.idle.wait(PATIENCE)
        if moving:
            ends.callback(Member(scene.kafka, group, "b", topics).close)
            time.sleep(5)
        ends.callback(Member(scene.kafka, group, "a", topics).close)
        time.sleep(5)
        stage.released.set()
        wait_for(lambda: bool(ended), "the end of the loop")
    (error,) = ended
    assert isinstance(error, StageError)
    assert "another process has taken over this one's place" in str(error)


class Telling(Held):
    """One that has something to tell whenever it is asked."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._topic = topic

    def due(self) -> bool:
        super().due()
        return True

    def compute(self, batch: Batch) -> Sequence[Output]:
        return [Output(self._topic, b"key", b"value")]


def test_a_loop_whose_transactions_another_has_taken_over_says_so(scene: Scene) -> None:
    group, topics = f"{scene.prefix}.held", (scene.topics.measurement,)
    stage = Telling(scene.topics.measurement)
    loop = Loop(LoopSettings(scene.kafka, group, "a", topics), stage)
    with ExitStack() as ends:
        pool = ends.enter_context(ThreadPoolExecutor(1))
        ends.callback(loop.stop)
        ends.callback(stage.released.set)
        ended = pool.submit(loop.run)
        assert stage.idle.wait(PATIENCE)
        clients.producer(scene.kafka, {"transactional.id": f"{group}-a"}).init_transactions(30)
        stage.released.set()
        error = ended.exception(30)
    assert isinstance(error, StageError)
    assert "another process has taken over this one's place" in str(error)
