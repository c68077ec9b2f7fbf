"""The supervisor keeps processes running, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.processes import spawn
from stack.supervisor import Stage, Stopped, Supervisor, stopped_by_signals
from tests.waiting import PATIENCE, wait_for


class Enough(Exception):
    """Ends a supervisor's run."""


def until(condition: Callable[[], bool]) -> Callable[[], None]:
    deadline = time.monotonic() + PATIENCE

    def tick() -> None:
        if condition():
            raise Enough
        assert time.monotonic() < deadline

    return tick


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def stage(tmp_path: Path, code: str) -> Stage:
    return Stage("sleeper", [sys.executable, "-c", code], os.environ, tmp_path / "sleeper.log")


def test_a_killed_process_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[int] = []
    supervisor = Supervisor(said.append, lambda pids: seen.extend(pids.values()))
    supervisor.watch(stage(tmp_path, "import time; time.sleep(60)"))
    os.kill(supervisor.pids()["sleeper"], signal.SIGKILL)
    with pytest.raises(Enough):
        supervisor.run(until(lambda: any("runs again" in line for line in said) and bool(supervisor.pids())))
    assert "was ended by SIGKILL; starting it again in 0.5 s" in said[0]
    running = supervisor.pids()["sleeper"]
    assert said[-1] == f"sleeper runs again (process {running})"
    assert seen[-1] == running
    supervisor.end(["sleeper"], seconds=2)
    assert gone(running)


def test_pauses_grow_while_a_process_keeps_dying_and_its_last_word_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, lambda _pids: None)
    supervisor.watch(stage(tmp_path, "import sys; sys.exit('no broker')"))
    with pytest.raises(Enough):
        supervisor.run(until(lambda: any("in 2 s" in line for line in said)))
    pauses = [line.partition("again in ")[2].partition(",")[0] for line in said if "ended with status 1" in line]
    assert pauses == ["0.5 s", "1 s", "2 s"]
    assert said[1] == "  no broker"


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _line: None, lambda _pids: None)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    printed = tmp_path / "printed"
    watched = Stage("sleeper", [sys.executable, "-c", deaf], os.environ, tmp_path / "sleeper.log", printed)
    supervisor.watch(watched)
    wait_for(lambda: "deaf" in printed.read_text(), "it to be deaf")
    supervisor.end(["sleeper"], seconds=0.5)
    assert watched.process is not None
    assert watched.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie between parent and child is Linux's own")
def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = "import sys, time; from stack.processes import spawn\n"
    parent += "print(spawn([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert not gone(child)
        process.kill()
    wait_for(lambda: gone(child), "the child's end")


def test_the_first_signal_stops_and_later_ones_do_not_disturb_the_end() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ends: list[str] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            ends.append("in order")

    with pytest.raises(Stopped, match="SIGTERM"), stopped_by_signals():
        work()
    assert ends == ["in order"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_ctrl_c_at_the_terminal_does_not_reach_children() -> None:
    child = spawn([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert os.getsid(child.pid) != os.getsid(0)
    finally:
        child.kill()
        child.wait()
