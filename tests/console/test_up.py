"""`seamwatch up`, end to end: it starts, keeps its parts running, refuses a second, and ends without a trace."""

from __future__ import annotations

import base64
import json
import netrc
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.app import build
from tests.sinks.samples import inference
from tests.stack.test_supervisor import gone

pytestmark = pytest.mark.timeout(240)


class Up:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.output = data.parent / "output"
        names = ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console.app", "up", "--data", str(data)], stdout=output, stderr=output,
                env=environment,
            )  # fmt: skip
        self.wait_for(lambda: (data / "run.json").exists())

    def wait_for(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)

    def pids(self) -> dict[str, int]:
        running = json.loads((self.data / "run.json").read_text())
        return {**running["stages"], **running["servers"]}


def test_up_keeps_its_parts_running_and_ends_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    up = Up(tmp_path / "data")
    try:
        assert up.pids().keys() == {"measure", "judge", "record", "page", "kafka", "clickhouse"}
        second = subprocess.run(
            [sys.executable, "-m", "console.app", "up", "--data", str(up.data)], capture_output=True, check=False
        )
        assert second.returncode == 3
        assert f"held by process {up.process.pid} (".encode() in second.stderr

        _assert_its_store_is_asked_without_a_secret_in_sight(up)
        _assert_its_record_is_signed_for(up, monkeypatch)

        for name in ("judge", "clickhouse"):
            before = up.pids()[name]
            os.kill(before, signal.SIGKILL)
            up.wait_for(lambda name=name, before=before: up.pids().get(name, before) != before)  # type: ignore[misc]
        assert "was ended by SIGKILL" in up.output.read_text()

        running = up.pids()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(timeout=10) == 0
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
    with urllib.request.urlopen(request, timeout=30) as answer:
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
