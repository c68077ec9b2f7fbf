"""The board as processes: several over one socket, each started again when it dies, and all of them gone by SIGTERM."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from board.security.links import new_link
from seamwatch.errors import UsageError
from seamwatch.listening import listen
from tests.waiting import PATIENCE, wait_for


def answer(port: int, path: str = "/sign-in", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=headers)
        got = connection.getresponse()
        return got.status, got.getheader("set-cookie") or got.read().decode()
    finally:
        connection.close()


def answers(port: int) -> bool:
    with suppress(OSError):
        return answer(port)[0] == 200
    return False


def workers_of(pid: int) -> set[int]:
    """The processes of a board that serve: its children, without the one that tracks resources."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with listen("127.0.0.1", 0, "SEAMWATCH_BOARD") as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "CLICKHOUSE_URL": "http://127.0.0.1:9/seamwatch",
        "SEAMWATCH_DATA": str(tmp_path),
        "SEAMWATCH_BOARD_PORT": str(port),
        "SEAMWATCH_BOARD_PROCESSES": "2",
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "console.app", "run", "board"], env=environment, start_new_session=True
    )
    yield started, port
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait(PATIENCE)


def test_several_processes_serve_and_are_started_again_and_end(
    board: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    started, port = board
    wait_for(lambda: answers(port), "an answer")
    wait_for(lambda: len(workers_of(started.pid)) == 2, "two processes")
    address = f"http://127.0.0.1:{port}"
    # A session that one of them has begun is one for all of them.
    status, cookie = answer(port, new_link(tmp_path, address).removeprefix(address))
    assert status == 303
    assert {answer(port, "/api/v1/me", Cookie=cookie.split(";")[0])[0] for _ in range(8)} == {200}
    before = workers_of(started.pid)
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(workers_of(started.pid) - {min(before)}) == 2, "another in its place")
    wait_for(lambda: answers(port), "an answer")
    every = workers_of(started.pid)
    started.send_signal(signal.SIGTERM)
    assert started.wait(PATIENCE) == 0
    wait_for(lambda: not [pid for pid in every if Path(f"/proc/{pid}").exists()], "the end of all")


def test_an_address_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0, "SEAMWATCH_BOARD") as taken, pytest.raises(UsageError, match="SEAMWATCH_BOARD_PORT"):
        listen("127.0.0.1", taken.getsockname()[1], "SEAMWATCH_BOARD")
