"""A process that is stopped for longer than its session, and goes on when another has taken over, changes nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.streams.stages import CODEC, PEOPLE, RANGE, ROOT, Scene, contract, counted, inferences
from tests.streams.test_chaos import BREACHING, account
from tests.waiting import PATIENCE, wait_for

FRESH = "- {id: fresh, kind: freshness, max_lag: 6s}"


@contextlib.contextmanager
def ticking(scene: Scene, instance: str) -> Iterator[subprocess.Popen[bytes]]:
    """A loop that reads one topic and writes another without any message."""
    names = (scene.topics.measurement, scene.topics.notice)
    command = [sys.executable, "-m", "tests.bus.ticking", scene.kafka, f"{scene.prefix}.ticking", instance, *names]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_round_without_messages_is_refused_of_a_process_that_is_out(scene: Scene) -> None:
    def said() -> list[bytes]:
        return scene.read(scene.topics.notice)

    with ticking(scene, "a") as paused:
        wait_for(lambda: len(said()) > 5, "the first loop")
        paused.send_signal(signal.SIGUSR1)
        _, status = os.waitpid(paused.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with ticking(scene, "b"):
            wait_for(lambda: said()[-1] == b"b/1", "the second loop")
            paused.send_signal(signal.SIGCONT)
            # It ends when it is refused, or hears first that it is out, and joins again.
            wait_for(lambda: paused.poll() is not None or b"a/2" in said(), "the first loop to notice")
            before = len(said())
            wait_for(lambda: len(said()) > before + 5, "the second loop to go on")
    heard = said()
    assert b"a/1" not in heard[heard.index(b"b/1") :]


class Refreshes(threading.Thread):
    """Tells every half second that a data set is as new as now; to one partition, where one is named."""

    def __init__(self, scene: Scene, system: str, partition: int | None = None) -> None:
        super().__init__(daemon=True)
        self._scene, self._system, self._partition = scene, system, partition
        self._ended = threading.Event()

    def run(self) -> None:
        # Of a test that failed the producer is closed under it, which is no failure of the next one.
        with suppress(RuntimeError):
            while not self._ended.wait(0.5):
                self.say()

    def say(self) -> None:
        now = time.time_ns() // 1_000
        record = {"event_id": str(uuid.uuid4()), "event_time": now, "system": self._system, "data_as_of": now}
        value = CODEC.encode("dataset_refresh", {**record, "row_count": 1})
        topic, place = self._scene.topics.input("dataset_refresh"), -1 if self._partition is None else self._partition
        self._scene.producer.produce(topic, value, self._system.encode(), place)
        self._scene.producer.poll(0)

    def end(self) -> None:
        self._ended.set()
        self.join()


@pytest.mark.parametrize("stage", ["measure", "judge"])
def test_a_stage_that_is_paused_until_another_has_taken_over_loses_and_repeats_nothing(
    scene: Scene, stage: str
) -> None:
    """Every event counts once, every breach is told once, and no refresh is missed by those who wait for it."""
    scene.publish(PEOPLE, contract(RANGE + FRESH))
    for name in ("measure", "judge"):
        scene.start(name, "a")
    refreshes = Refreshes(scene, "table")
    refreshes.start()
    events = list(inferences(6_000, systems=10, every=BREACHING + 1))
    paused = scene.processes[f"{stage}-a"]

    def send(some: list[tuple[str, bytes]]) -> None:
        for system, value in some:
            scene.send("inference", value, system)
        scene.producer.flush(PATIENCE)

    send(events[:1_000])
    scene.caught_up("measure")
    scene.caught_up("judge")
    send(events[1_000:2_000])
    paused.send_signal(signal.SIGSTOP)
    scene.start(stage, "b")
    send(events[2_000:4_000])
    # The other one waits for the session of the first to be over, and then does all of its work.
    wait_for(lambda: scene.behind(stage) == 0, "the other one to take over")
    send(events[4_000:5_000])
    paused.send_signal(signal.SIGCONT)
    send(events[5_000:])
    scene.caught_up("measure")
    # What the first one has left open is aborted by the broker after a while, and hides until then what lies behind it.
    wait_for(lambda: counted(scene.measurements())[0] >= len(events), "all to be seen")
    account(scene, len(events))
    # Refused, it ends; or it heard first that it is out. A supervisor starts it again, and it gets its share.
    if paused.poll() is not None:
        assert paused.returncode != 0
        scene.start(stage, "a")
        scene.caught_up(stage)
    assert scene.violations("freshness") == []
    # That the clock runs, and for both of them, shows when the refreshes end.
    refreshes.end()
    wait_for(lambda: bool(scene.violations("freshness")), "the data to be found old")
    (found,) = scene.violations("freshness")
    assert (found["state"], found["system"]) == ("open", "table")


def test_partitions_that_are_added_are_waited_for_before_a_silence_is_judged(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(FRESH))
    scene.start("measure", "a")
    scene.start("judge", "a")
    refreshes = Refreshes(scene, "table")
    refreshes.start()
    scene.caught_up("measure")
    scene.grow("dataset_refresh", 6)
    refreshes.end()
    # From now on the refreshes lie where nobody reads as yet: longer than the data may be old.
    refreshes = Refreshes(scene, "table", partition=5)
    refreshes.say()
    refreshes.start()
    wait_for(
        lambda: any(
            mark.topic.endswith("dataset_refresh") and mark.partition == 5 and mark.caught_up
            for measurement in scene.measurements()
            for mark in measurement.watermarks
        ),
        "the new partition to be measured",
    )
    time.sleep(8)
    assert scene.violations("freshness") == []
    refreshes.end()
    wait_for(lambda: bool(scene.violations("freshness")), "the data to be found old")
    (found,) = scene.violations("freshness")
    assert found["state"] == "open"
