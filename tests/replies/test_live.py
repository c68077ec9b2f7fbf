"""The process beside broker, measure and judge: an answer from elsewhere stops the clock, whatever is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seamwatch.durations import SECOND
from seamwatch.instants import format_instant
from seamwatch.listening import listen
from seamwatch.testing import inference
from tests.replies.desks import FORMER, KEY, PEOPLE, SECRET, STANDARD, body_of, incident, now, pagerduty_headers
from tests.replies.desks import standard_headers as standard
from tests.streams.stages import CODEC, ROOT, Scene, contract
from tests.waiting import PATIENCE, wait_for

LISTED = contract("- {id: scores, kind: range, min: 0, max: 1}").replace(
    "{person: owner@example.org, acknowledge_within: 1h}",
    "{person: dana@example.org, acknowledge_within: 1h}, {person: model.lead@example.org}",
)
PUBLISHED = (PEOPLE, "kind: Person\nid: owner@example.org\nname: Olive Owner", LISTED)


class Process:
    """`seamwatch run replies`, and calls of it."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        for name, text in (
            ("pagerduty", f"{SECRET.decode()}\n{FORMER.decode()}\n"),
            ("webhook", f"whsec_{b64encode(STANDARD).decode()}\n"),
        ):
            (folder / name).write_text(text)
        key = folder / "relay.pem"
        key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key.chmod(0o600)
        with listen("127.0.0.1", 0, "TEST") as free:
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": scene.kafka,
            "SEAMWATCH_PREFIX": scene.prefix,
            "SEAMWATCH_RELAY": "replies@example.org",
            "SEAMWATCH_RELAY_KEY": str(key),
            "SEAMWATCH_REPLIES_PORT": str(self.port),
            "SEAMWATCH_REPLIES_PAGERDUTY_SECRET_FILE": str(folder / "pagerduty"),
            "SEAMWATCH_REPLIES_WEBHOOK_SECRET_FILE": str(folder / "webhook"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = [sys.executable, "-c", "from console.app import main; main()", "run", "replies"]
        self._process = subprocess.Popen(program, cwd=ROOT, env=self._environment)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()

    def call(self, service: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of a call; 0 where nobody answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{service}", data=body, headers=headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def until_taken(self, service: str, body: bytes, headers: dict[str, str]) -> None:
        """Call as services do: again and again until it is taken."""
        wait_for(lambda: self.call(service, body, headers) // 100 == 2, "a call to be taken")


@pytest.fixture
def scene(kafka: str, tmp_path: Path) -> Iterator[Scene]:
    staged = Scene(kafka, tmp_path / "documents")
    try:
        yield staged
    finally:
        staged.end()
        staged.close()


@pytest.fixture
def replies(scene: Scene, tmp_path: Path) -> Iterator[Process]:
    process = Process(scene, tmp_path)
    process.start()
    yield process
    assert process.end() in (0, -signal.SIGTERM)


def opened(scene: Scene) -> str:
    scene.publish(*PUBLISHED)
    scene.start("measure")
    scene.start("judge")
    event = inference(system="scorer", event_time=now(), score=2.0).record()
    scene.send("inference", CODEC.encode("inference", event), "scorer")
    wait_for(lambda: bool(scene.violations("range")), "the violation")
    return str(scene.violations("range")[0]["violation_id"])


def states(scene: Scene) -> list[tuple[str, str | None]]:
    return [(each["state"], each["acknowledged_by"]) for each in scene.violations("range")]


def verdicts(scene: Scene) -> list[dict[str, Any]]:
    return [CODEC.decode("verdict", value) for value in scene.read(scene.topics.verdict)]


@pytest.mark.timeout(600)
def test_what_is_answered_elsewhere_stops_the_clock_and_taking_it_back_starts_it(
    scene: Scene, replies: Process
) -> None:
    violation_id = opened(scene)
    body = body_of(incident(data={"incident_key": violation_id}))
    replies.until_taken("pagerduty", body, pagerduty_headers(body))
    wait_for(lambda: states(scene)[-1] == ("acknowledged", "dana@example.org"), "the acknowledgement")
    assert replies.call("pagerduty", body, pagerduty_headers(body, b"a forger's secret")) == 401
    assert replies.call("pagerduty", body, pagerduty_headers(body)) == 200, "a replay"
    assert replies.call("pagerduty", b"x" * 70_000, {}) == 413
    body = body_of(incident("unacknowledged", id="02", agent=None, data={"incident_key": violation_id}))
    replies.until_taken("pagerduty", body, pagerduty_headers(body))
    wait_for(lambda: states(scene)[-1] == ("open", None), "the clock to start anew")
    said = {
        "type": "acknowledged",
        "violation_id": violation_id,
        "identity": "lead",
        "service": "chat",
        "note": "on it",
    }
    time.sleep(1.1)  # its time is in whole seconds, and is to be later than that of what was taken back
    body = body_of(said)
    replies.until_taken("webhook", body, standard(body))
    wait_for(lambda: states(scene)[-1] == ("acknowledged", "model.lead@example.org"), "the acknowledgement")
    assert [verdict["reason"] for verdict in verdicts(scene)] == ["counts"] * 3
    assert [state for state, _ in states(scene)] == ["open", "acknowledged", "open", "acknowledged"]


@pytest.mark.timeout(600)
def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_counts_twice(scene: Scene, replies: Process) -> None:
    violation_id = opened(scene)
    chance = random.Random(7)
    over = threading.Event()

    def kill_now_and_then() -> None:
        for _ in range(6):
            time.sleep(chance.uniform(0.5, 3.5))
            replies.kill()
            replies.start()
        over.set()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    answers = [
        body_of(
            incident(
                kind,
                id=f"{number}",
                occurred_at=format_instant(now() - (30 - number) * SECOND),
                data={"incident_key": violation_id},
            )
        )
        for number, kind in enumerate(("acknowledged", "unacknowledged", "acknowledged"))
    ]
    while not over.is_set():
        for body in answers:
            replies.call("pagerduty", body, pagerduty_headers(body))
            time.sleep(0.05)
    killer.join()
    for body in answers:
        replies.until_taken("pagerduty", body, pagerduty_headers(body))
    scene.caught_up("measure")
    wait_for(lambda: len({v["acknowledgement_id"] for v in verdicts(scene)}) == 3, "all verdicts")
    scene.caught_up("judge")
    sent = [CODEC.decode("acknowledgement", value) for value in scene.read(scene.topics.input("acknowledgement"))]
    assert len({record["event_id"] for record in sent}) == 3, "each answer is one event, however often it was sent"
    assert sum(verdict["counted"] for verdict in verdicts(scene)) == len(states(scene)) - 1
    assert states(scene)[-1] == ("acknowledged", "dana@example.org")


def test_what_is_missing_is_told_before_anything_is_served(scene: Scene, tmp_path: Path) -> None:
    process = Process(scene, tmp_path)
    for name, said in (
        ("SEAMWATCH_RELAY", "set SEAMWATCH_RELAY"),
        ("SEAMWATCH_RELAY_KEY", "set SEAMWATCH_RELAY_KEY"),
        ("KAFKA_BOOTSTRAP_SERVERS", "set KAFKA_BOOTSTRAP_SERVERS"),
    ):
        environment = {**process._environment, name: ""}
        program = [sys.executable, "-c", "from console.app import main; main()", "run", "replies"]
        ended = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode == 2, ended.stderr
        assert said in ended.stderr
