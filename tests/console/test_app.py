"""The command's frame: errors are a line and an exit code, and every command has help with an example."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import app as command
from console.reach import reach
from seamwatch.errors import LocalStackError, UnreachableError
from seamwatch.running import RUN_FILE
from tests.waiting import PATIENCE


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.app", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def test_an_error_is_one_line_on_stderr(tmp_path: Path) -> None:
    done = run("up", "--contracts", str(tmp_path / "absent"), "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("seamwatch: --contracts ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" in run("up", "--contracts", "absent", SEAMWATCH_DEBUG="1").stderr


def test_a_setting_that_cannot_be_read_is_named() -> None:
    done = run("doctor", SEAMWATCH_PARTITIONS="many")
    assert done.returncode == 2
    assert "SEAMWATCH_PARTITIONS='many'" in done.stderr


def test_wrong_use_exits_2() -> None:
    assert run("absent").returncode == 2
    assert run("run", "absent").returncode == 2


def test_the_version_is_printed() -> None:
    assert run("--version").stdout.startswith("seamwatch ")


@pytest.mark.parametrize("name", command.COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = run(name.replace("_", "-"), "--help", COLUMNS="200")
    assert done.returncode == 0, done.stderr


def test_an_error_carries_its_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise LocalStackError("no Java")

    monkeypatch.setattr(command, "build", lambda: lambda _arguments: fail())
    with pytest.raises(SystemExit) as ended:
        command.main([])
    assert ended.value.code == 3
    assert capsys.readouterr().err == "seamwatch: no Java\n"


def test_an_error_of_ours_says_how_to_see_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "build", lambda: lambda _arguments: 1 / 0)
    monkeypatch.delenv("SEAMWATCH_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        command.main([])
    assert ended.value.code == 70
    assert "ZeroDivisionError" in (line := capsys.readouterr().err)
    assert line.count("\n") == 1


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL", "SEAMWATCH_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nowhere")
def test_a_system_is_found_by_its_folder_then_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = {"pid": os.getpid(), "kafka": "a:1", "clickhouse": "http://w@a:2/s", "auditor": "http://r@a:2/s"}
    (tmp_path / RUN_FILE).write_text(json.dumps({**running, "prefix": "p"}))
    found = reach(tmp_path)
    assert (str(found.kafka), found.clickhouse, found.auditor, found.prefix) == (
        "a:1",
        "http://w@a:2/s",
        "http://r@a:2/s",
        "p",
    )
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "b:1")
    assert str(reach(tmp_path).kafka) == "a:1"
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    assert (str(reach().kafka), reach().auditor) == ("b:1", "http://r@a:2/s")


@pytest.mark.usefixtures("nowhere")
def test_a_system_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"No system is running.*seamwatch up"):
        _ = reach(tmp_path).kafka
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    (tmp_path / RUN_FILE).write_text(json.dumps({"pid": process.pid, "kafka": "a:1"}))
    with pytest.raises(UnreachableError, match="has ended without saying so"):
        _ = reach(tmp_path).clickhouse
