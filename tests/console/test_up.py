"""`seamwatch up`, end to end: it starts, keeps its parts running, refuses a second, and ends without a trace."""

from __future__ import annotations

import base64
import json
import netrc
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from console.app import build
from stack.folder import is_free
from tests.sinks.samples import inference
from tests.stack.test_supervisor import gone
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.timeout(600)


STAGES = ("measure", "judge", "record", "page", "replies")
SHOWING = ("measure", "judge", "record", "page", "board", "replies")
"""Those with metrics, by their ports."""


class Up:
    def __init__(self, data: Path, **variables: str) -> None:
        self.data = data
        self.output = data.parent / "output"
        names = ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL")
        environment = {name: value for name, value in os.environ.items() if name not in names} | variables
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console.app", "up", "--data", str(data)], stdout=output, stderr=output,
                env=environment,
            )  # fmt: skip
        self.wait_for(lambda: (data / "run.json").exists())

    def wait_for(self, condition: Callable[[], bool]) -> None:
        def holds() -> bool:
            if condition():
                return True
            assert self.process.poll() is None, self.output.read_text()
            return False

        wait_for(holds, self.output.read_text, every=0.1)

    def pids(self) -> dict[str, int]:
        running = json.loads((self.data / "run.json").read_text())
        return {**running["stages"], **running["servers"]}


def test_up_keeps_its_parts_running_and_ends_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _free_ports(len(SHOWING))
    up = Up(tmp_path / "data", SEAMWATCH_METRICS_PORT=str(first), **_relaying(tmp_path))
    try:
        assert up.pids().keys() == {*STAGES, "board", "kafka", "clickhouse"}
        second = subprocess.run(
            [sys.executable, "-m", "console.app", "up", "--data", str(up.data)], capture_output=True, check=False
        )
        assert second.returncode == 3
        assert f"held by process {up.process.pid} (".encode() in second.stderr

        _assert_its_store_is_asked_without_a_secret_in_sight(up)
        _assert_its_record_is_signed_for(up, monkeypatch)
        _assert_each_stage_shows_its_metrics(up, first)
        _assert_replies_are_taken(up)

        for name in ("judge", "clickhouse"):
            before = up.pids()[name]
            os.kill(before, signal.SIGKILL)
            up.wait_for(lambda name=name, before=before: up.pids().get(name, before) != before)  # type: ignore[misc]
        assert "was ended by SIGKILL" in up.output.read_text()

        _assert_the_doctor_is_content_and_knows_of_the_restarts(up)
        running = up.pids()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(timeout=PATIENCE) == 0
        assert [name for name, pid in running.items() if not gone(pid)] == []
        assert not (up.data / "run.json").exists()
        assert not (up.data / "netrc").exists()
    finally:
        up.process.kill()
        up.process.wait()


def _assert_its_store_is_asked_without_a_secret_in_sight(up: Up) -> None:
    up.wait_for(lambda: "Ctrl-C ends it." in up.output.read_text())
    output = up.output.read_text()
    passwords = json.loads((up.data / "secrets.json").read_text())
    logs = [output, *(log.read_text() for log in (up.data / "logs").iterdir())]
    assert [name for name, password in passwords.items() for log in logs if password in log] == []

    (line,) = (line for line in output.splitlines() if "curl " in line)
    words = shlex.split(line.partition("ask it")[2])
    file = Path(words[words.index("--netrc-file") + 1])
    assert file.stat().st_mode & 0o777 == 0o600
    (address,) = (word for word in words if word.startswith("http://"))
    login = netrc.netrc(file).authenticators("127.0.0.1")
    assert login is not None
    assert login[0] == "auditor"
    request = urllib.request.Request(address, data=words[words.index("--data-binary") + 1].encode())
    request.add_header("Authorization", f"Basic {base64.b64encode(f'{login[0]}:{login[2]}'.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


def _assert_its_record_is_signed_for(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    events = up.data.parent / "events.ndjson"
    events.write_text("".join(json.dumps({"type": "inference", **inference(number)}) + "\n" for number in range(3)))
    assert CliRunner().invoke(build(), ["emit", str(events), "--data", str(up.data)]).exit_code == 0

    def verified() -> dict[str, Any]:
        result = CliRunner().invoke(build(), ["verify", "--data", str(up.data), "--json"])
        assert result.exit_code == 0, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    up.wait_for(lambda: verified()["rows"] >= 3)
    assert verified()["checkpoints"] > 0


def _relaying(folder: Path) -> dict[str, str]:
    secret, key = folder / "webhook", folder / "relay.pem"
    secret.write_text(f"whsec_{base64.b64encode(bytes(24)).decode()}\n")
    made = CliRunner().invoke(build(), ["keys", "new", "--id", "relay-2026", "--out", str(key)])
    assert made.exit_code == 0, made.output
    return {
        "SEAMWATCH_RELAY": "replies@example.org",
        "SEAMWATCH_RELAY_KEY": str(key),
        "SEAMWATCH_REPLIES_WEBHOOK_SECRET_FILE": str(secret),
    }


def _assert_replies_are_taken(up: Up) -> None:
    where = json.loads((up.data / "run.json").read_text())["replies"]
    assert f"replies       {where}   (relayed by replies@example.org)" in up.output.read_text()

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(f"{where}/healthz", timeout=PATIENCE) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    up.wait_for(is_ready)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{where}/webhook", data=b"{}", timeout=PATIENCE)
    assert refused.value.code == HTTPStatus.UNAUTHORIZED
    refused.value.close()


def _free_ports(number: int) -> int:
    while True:
        with socket.create_server(("127.0.0.1", 0)) as found:
            first = int(found.getsockname()[1])
        if first < 65_530 and all(is_free(port) for port in range(first, first + number)):
            return first


def _assert_each_stage_shows_its_metrics(up: Up, first: int) -> None:
    told = json.loads((up.data / "run.json").read_text())["metrics"]
    assert told == {stage: f"127.0.0.1:{first + number}" for number, stage in enumerate(SHOWING)}
    for stage, where in told.items():
        assert f"metrics       {stage:<8} http://{where}/metrics" in up.output.read_text()
        with urllib.request.urlopen(f"http://{where}/metrics", timeout=PATIENCE) as answer:
            assert f"seamwatch_{stage}_".encode() in answer.read()


def _assert_the_doctor_is_content_and_knows_of_the_restarts(up: Up) -> None:
    def doctor() -> dict[str, dict[str, str]]:
        result = CliRunner().invoke(build(), ["doctor", "--data", str(up.data), "--json"])
        found = [json.loads(line) for line in result.stdout.splitlines()]
        return {finding["subject"]: finding for finding in found} if result.exit_code == 0 else {}

    up.wait_for(lambda: bool(doctor()))
    found = doctor()
    assert "started again once" in found["judge"]["found"]
    assert "started again" not in found["page"]["found"]
    assert found["metrics"]["found"].startswith("measure http://127.0.0.1:")
    assert found["lag of measure"]["verdict"] == "ok"
    assert found["measurements"]["verdict"] == "ok"


def is_untaken(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@contextmanager
def taken_port(below: int) -> Iterator[int]:
    """A port that is taken, while so many below it are not: on a busy machine the next ones often are."""
    with ExitStack() as ends:
        for _ in range(100):
            taken = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
            port: int = taken.getsockname()[1]
            if all(map(is_untaken, range(port - below, port))):
                yield port
                return
    raise AssertionError("no port was found that has free ones below it")


def test_up_refuses_ports_that_cannot_be_had_and_an_owner_whom_nobody_knows(tmp_path: Path) -> None:
    def refused(**variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "console.app", "up", "--data", str(tmp_path / "data"), "--contracts", str(folder)],
            capture_output=True, text=True, check=False, env={**os.environ, **variables},
        )  # fmt: skip
        assert done.returncode == 2
        return done.stderr

    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "people.yaml").write_text("apiVersion: seamwatch/v1\nkind: Person\nid: ann@example.org\nname: Ann\n")
    with taken_port(below=2) as port:
        assert f"127.0.0.1:{port}, where record would show its metrics, is taken" in refused(
            SEAMWATCH_METRICS_PORT=str(port - 2)
        )
    assert "set SEAMWATCH_RELAY_KEY" in refused(SEAMWATCH_RELAY="replies@example.org")
    assert "name a lower one" in refused(SEAMWATCH_METRICS_PORT="65534")
    said = refused(SEAMWATCH_DEFAULT_OWNER="ann@example.com")
    assert "SEAMWATCH_DEFAULT_OWNER=ann@example.com: no Person document has this id" in said
    assert "did you mean 'ann@example.org'?" in said
