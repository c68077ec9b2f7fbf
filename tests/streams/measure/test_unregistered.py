"""A system that nobody declared: on the violation topic and in the inventory within a minute of its first event."""

from __future__ import annotations

import json
import threading
import time

from typer.testing import CliRunner

from console.app import build
from seamwatch.clock import SystemClock
from seamwatch.durations import MINUTE
from seamwatch.wire.codec import Codec
from sinks.decoding import decoding
from sinks.record.stage import Recorder
from tests.sinks.estate import estate
from tests.streams.stages import PEOPLE, Scene, inference
from tests.waiting import PATIENCE, wait_for

DECLARED = """
kind: System
id: known
type: model
owner: owner@example.org
"""


def test_a_system_never_declared_is_a_violation_and_unregistered_within_a_minute(
    scene: Scene, kafka: str, clickhouse: str
) -> None:
    scene.publish(PEOPLE, DECLARED)
    scene.start("measure", SEAMWATCH_DEFAULT_OWNER="platform@example.org")
    scene.start("judge", SEAMWATCH_DEFAULT_OWNER="platform@example.org")
    codec = Codec()
    with estate(kafka, clickhouse) as store:
        recorder = Recorder(kafka, store.url, scene.topics, decoding(codec, SystemClock()))
        thread = threading.Thread(target=recorder.run, daemon=True)
        thread.start()
        # Some traffic of the declared one first, so that it is the system that is new, not the stages.
        scene.send("inference", codec.encode("inference", inference("known", 1)), "known")
        wait_for(lambda: len(scene.violations("approval")) == 1, "the stages to begin")

        began = time.monotonic()
        first = inference("shadow", 2)
        scene.send("inference", codec.encode("inference", first), "shadow")
        scene.producer.flush(PATIENCE)
        wait_for(lambda: any(v["system"] == "shadow" for v in scene.violations("approval")), "its violation")
        wait_for(
            lambda: store.rows("SELECT system FROM violations WHERE system = 'shadow'") != [], "its row in the store"
        )
        took = time.monotonic() - began
        environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "CLICKHOUSE_URL": store.url, "SEAMWATCH_PREFIX": scene.prefix}
        listed = CliRunner().invoke(build(), ["inventory", "--unregistered", "--json"], env=environment)
        shown = CliRunner().invoke(build(), ["inventory"], env=environment).stdout
        (known,) = store.rows("SELECT registered, events FROM inventory WHERE system = 'known'")
        recorder.stop()
        thread.join(PATIENCE)
    assert took < 60
    (violation,) = [v for v in scene.violations("approval") if v["system"] == "shadow"]
    assert (violation["contract"], violation["severity"], violation["state"]) == ("defaults", "breach", "open")
    assert (violation["opened_at"], violation["person"]) == (first["event_time"], "platform@example.org")
    assert violation["detected_at"] - first["event_time"] < MINUTE
    assert listed.exit_code == 1, listed.output
    assert [json.loads(line)["system"] for line in listed.stdout.splitlines()] == ["shadow"]
    assert [line.split()[:3] for line in shown.splitlines() if "shadow" in line] == [
        ["shadow", "model", "UNREGISTERED"]
    ]
    assert known == {"registered": True, "events": 1}
