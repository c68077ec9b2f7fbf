"""The dead man's handle: a call of the client that never comes back ends the process; others end nothing."""

from __future__ import annotations

import subprocess
import sys

from tests.streams.stages import Scene
from tests.waiting import PATIENCE

STUCK = """
import threading
from bus.deadman import DeadMan
deadman = DeadMan("t.judge")
for _ in range(3):
    with deadman.within(30.0, "reading"):
        pass
with deadman.within(0.2, "committing a round"):
    threading.Event().wait()
"""
# A stage's loop whose client ignores its time-out when it sends offsets, as librdkafka may.
LOOP = """
import sys, threading
import confluent_kafka
from bus import loop

class Stuck(confluent_kafka.Producer):
    def send_offsets_to_transaction(self, *_arguments):
        threading.Event().wait()

class Stage:
    def __getattr__(self, _name):
        return lambda *_: None
    def compute(self, batch):
        return [loop.Output(sys.argv[3], b"k", b"v")]

confluent_kafka.Producer, loop.KAFKA_SECONDS, loop.GRACE_SECONDS = Stuck, 0.2, 0.2
loop.Loop(loop.LoopSettings(sys.argv[1], "t.stuck", "one", (sys.argv[2],)), Stage()).run()
"""


def test_a_call_that_never_comes_back_ends_the_process_with_words() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 3
    assert "t.judge: committing a round: the Kafka client has not come back" in ended.stderr


def test_calls_that_come_back_in_time_end_nothing() -> None:
    content = STUCK.replace("threading.Event().wait()", "pass") + "import time; time.sleep(2.5)"
    ended = subprocess.run(
        [sys.executable, "-c", content], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_loop_whose_client_hangs_in_a_transaction_ends_and_commits_nothing(scene: Scene) -> None:
    scene.producer.produce(scene.topics.input("inference"), b"v", b"k")
    scene.producer.flush(PATIENCE)
    arguments = [scene.kafka, scene.topics.input("inference"), scene.topics.notice]
    ended = subprocess.run(
        [sys.executable, "-c", LOOP, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 3, ended.stderr
    assert "t.stuck: committing a round: the Kafka client has not come back" in ended.stderr
